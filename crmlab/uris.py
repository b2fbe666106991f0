"""URIs of engines: scheme://user:${PASSWORD}@host/database?option=value, `${NAME}` being taken from the environment.

Of the user of one, its options and what stands in the environment nothing is shown anywhere.
"""

import os
import re
from urllib.parse import quote

from crmlab.contracts.errors import InputError

FILES = ("duckdb", "sqlite")  # engines whose tables lie in a file, relative to data/
ADDRESSES = ("http", "https", "ftp", "s3", "gs", "az", "abfss")  # of files that are not read from there
HIDDEN = "…"
NAME = re.compile(r"\$\{(\w+)\}")  # of a variable of the environment
URI = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://((?P<user>[^/?#@]*)@)?"
    r"(?P<host>(\[[^]/?#@]*\]|[^/?#@:\[\]]*)(:(?P<port>\d+|\$\{\w+\})?)?)(?P<path>/[^?#@]*)?(\?(?P<query>[^#@]*))?"
)
SECRET = re.compile(r"passw|passphrase|pwd|secret|token|credential|private_?key", re.IGNORECASE)  # options by name


def shown(uri: str) -> str:
    """A URI as it is shown: as written, without its user and its options."""
    if NAME.fullmatch(uri) or is_file(uri):
        return uri
    parts = URI.fullmatch(uri)
    return (
        f"{parts['scheme']}://{parts['host']}{parts['path'] or ''}" if parts else f"{uri.partition(':')[0]}://{HIDDEN}"
    )


def faults(uri: str) -> list[str]:
    """What is wrong with a URI as it is written down; of what it holds nothing is repeated."""
    if NAME.fullmatch(uri):
        return []
    if is_file(uri):
        place = uri.partition("://")[2]
        return [] if place and "?" not in place else ["uri: it names no file; write it as sqlite://raw/shop.sqlite"]
    parts = URI.fullmatch(uri)
    if parts is None:
        signs = "of the signs @ / ? # in its parts write %40 %2F %3F %23, and of a password ${NAME}"
        return [f"uri: it cannot be read as scheme://user:${{PASSWORD}}@host/database; {signs}"]
    pairs = [option.partition("=")[::2] for option in (parts["query"] or "").split("&")]
    secrets = {"user": (parts["user"] or "").partition(":")[2]} | {k: v for k, v in pairs if SECRET.search(k)}
    if any(NAME.sub("", value) for value in secrets.values()):
        advice = "put it into a variable of the environment, and write ${NAME} for it, with the name of that"
        return [f"uri: it holds a password; {advice}"]
    return []


def is_file(uri: str) -> bool:
    """Whether a URI names a database file."""
    return uri.partition("://")[0] in FILES and "://" in uri


def is_address(uri: str) -> bool:
    """Whether a URI is the address of a file on a network, which is not read."""
    return uri.partition("://")[0].lower() in ADDRESSES


def expand(uri: str) -> str:
    """A URI with what stands in the environment. Raises InputError where a variable is not set."""
    if unset := [name for name in NAME.findall(uri) if not os.environ.get(name)]:
        raise InputError(f"uri names {', '.join(unset)}, not set in the environment; set what is missing")
    if whole := NAME.fullmatch(uri):
        return os.environ[whole[1]]
    parts = URI.fullmatch(uri)
    quoted = "" if parts is None else f"{parts['user'] or ''} {parts['query'] or ''}"
    within = set(NAME.findall(quoted))
    return NAME.sub(lambda m: quote(os.environ[m[1]], safe="") if m[1] in within else os.environ[m[1]], uri)
