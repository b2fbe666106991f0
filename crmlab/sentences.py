"""Sentences apart from numbers: templates, one file a domain, filled with values.

`<domain>/sentences.toml` holds a table for each check: `claim` is one sentence; `summary` is one, or a table of one for
each case or outcome (passed, failed, yes, no, undecided, not_applicable); `recommendation` is such a table, empty where
there is nothing to be done. A field names how its value is written:
`{gain:number}`, `{share:share}`, `{p:p}`, `{customers:count}`, and `{level:percent}`, what is
stated, as a confidence level or a limit; an Estimate without a format brings its intervals.
"""

import string
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

from crmlab.estimate import KINDS, Estimate, Kind, number, written


class _Writer(string.Formatter):
    def format_field(self, value: Any, spec: str) -> str:
        if spec in KINDS:
            return written(value.value if isinstance(value, Estimate) else value, cast(Kind, spec))
        if spec == "percent":
            return f"{100 * value:.4g} %"
        if spec:
            return super().format_field(value, spec)
        return str(value) if isinstance(value, (str, Estimate)) else number(value)


def sentence(template: str, values: Mapping[str, Any]) -> str:
    """A template filled with values.

    Examples
    --------
    >>> sentence("{n:count} customers ordered once ({share:share}).", {"n": 1411, "share": 0.5986})
    '1,411 customers ordered once (59.9 %).'
    """
    return _Writer().vformat(template, (), values)


@cache
def templates(package: str) -> dict[str, Any]:
    """The templates of a package, as `crmlab.clv`: tables by the name of what they speak of."""
    return tomllib.loads(files(package).joinpath("sentences.toml").read_text("utf-8"))
