"""What people call the columns of a contract: guesses, to be looked at."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


def plain(name: str) -> str:
    """A name in small letters, without blanks and signs."""
    return re.sub(r"[\W_]+", "", str(name).casefold())


def guess(column: str, names: Iterable[str]) -> str | None:
    """The one of the names that a column of a contract goes by, as a guess; None where none is known for it."""
    found = {plain(name): name for name in reversed([*names])}
    return next((found[word] for word in [plain(column), *_words().get(column, ())] if word in found), None)


def is_known(name: str) -> bool:
    """Whether a name is one that people call some column of a contract."""
    return any(plain(name) in words for words in _words().values())


@cache
def _words():
    return tomllib.loads(files("crmlab.contracts").joinpath("names.toml").read_text("utf-8"))
