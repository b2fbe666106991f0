"""What cells of a notebook show by a Report: text, HTML and images, with what leaves in the metadata of each output."""

import base64
import html
from collections.abc import Iterable
from typing import Any

from crmlab import figures
from crmlab.check import MARKS, Check
from crmlab.display import Shown, words

PRIVATE = "private/"  # before the names of tables that name customers


class Left:
    """What a cell shows, with what leaves with it in the output's metadata, at full precision."""

    def __init__(self, shown: Any, left: dict) -> None:
        self.shown, self.left = shown, left

    def __repr__(self) -> str:
        return repr(self.shown)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        if hasattr(self.shown, "_repr_mimebundle_"):
            data, metadata = self.shown._repr_mimebundle_()
        else:
            data, metadata = {"text/plain": repr(self.shown), "text/html": self.shown._repr_html_()}, {}
        return data, metadata | {"crmlab": self.left}


class NamedTable:
    """A table under its name."""

    def __init__(self, shown: Shown, name: str, part: str) -> None:
        self.shown, self.name = shown, words(name) + part

    def __repr__(self) -> str:
        return repr(self.shown)

    def _repr_html_(self) -> str:
        caption = f'<p class="stem">{html.escape(self.name)}</p>' if self.name else ""
        return caption + self.shown._repr_html_()


class KeptTable:
    """A table that is kept and not shown: its name, and what it holds."""

    def __init__(self, stem: str, text: str) -> None:
        self.stem, self.text = stem, text

    def __repr__(self) -> str:
        return f"{words(self.stem.removeprefix(PRIVATE))}: {self.text}"

    def _repr_html_(self) -> str:
        return f'<p class="crmlab-kept" data-stem="{html.escape(self.stem)}">{html.escape(repr(self))}</p>'


class Line:
    """A line of text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<p class="crmlab-line">{html.escape(self.text).replace(chr(10), "<br>")}</p>'


def checks_html(checks: Iterable[Check]) -> str:
    """Checks as a list of HTML, an item each: outcome, claim, summary and recommendation."""
    e = html.escape
    lines = "".join(
        f'<li class="{c.kind} {c.outcome.replace(" ", "-")}"><b>{MARKS[c.outcome]} {c.outcome.capitalize()}</b>: '
        f"{e(c.claim)}. {e(c.summary)}{f' <em>{e(c.recommendation)}</em>' if c.recommendation else ''}</li>"
        for c in checks
    )
    return f'<ul class="crmlab-checks">{lines}</ul>'


class Checks:
    """Checks, a line each."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self.checks = list(checks)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.checks))

    def _repr_html_(self) -> str:
        return checks_html(self.checks)


class DrawnFigure:
    """A figure as an image, whose bytes its content alone decides, with words of what is seen."""

    def __init__(self, figure: Any, title: str) -> None:
        self.title, self.image = title, base64.b64encode(figures.png(figure)).decode()
        self.about: dict[str, Any] = {"alt": figures.in_words(figure, title), "title": title}

    def __repr__(self) -> str:
        return f"Figure: {self.title}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        return {"text/plain": repr(self), "image/png": self.image}, self.about
