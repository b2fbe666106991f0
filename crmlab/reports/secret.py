"""What looks like a secret, and what is kept rid of the ones there are."""

import base64
import html
import json
import os
import re
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote, urlsplit

NAMES = re.compile(
    r"passw|passphrase|pwd|secret|token|api_?key|access_?key|credential|private_?key|bearer|^auth$", re.IGNORECASE
)
VARIABLES = re.compile(rf"{NAMES.pattern}|_KEY$|DATABASE_URL|(^|_)DSN$", re.IGNORECASE)  # of the environment
FOLDERS = ("PWD", "OLDPWD")  # where a shell is, and was
SHORTEST = 6  # characters; shorter values would be found in ordinary text
HIDDEN = "[secret]"


def redact(texts):
    """A copy of texts, however nested, without the values of environment variables whose names look like secrets.

    Values are found as they stand, and as Python, JSON, HTML, addresses and base64 write them; of an address, so is its
    password.
    """
    names = [name for name in os.environ if VARIABLES.search(name) and name not in FOLDERS]
    return _redacted(texts, _forms(tuple(sorted({os.environ[name] for name in names}))))


@lru_cache(maxsize=4)
def _forms(values):
    values = {each for value in values for each in (value, _password(value)) if len(each) >= SHORTEST}
    written = {form for value in values for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])}
    written |= {html.escape(form) for form in written}
    written |= {quoted(value, safe) for value in values for quoted in (quote, quote_plus) for safe in ("", "/")}
    written |= {form for value in values for form in _in_base64(value.encode(errors="surrogateescape"))}
    return sorted(written, key=len, reverse=True)


def _password(value):
    """The password of an address, such as that of a database; empty of any other text."""
    try:
        return unquote(urlsplit(value).password or "")
    except ValueError:
        return ""


def _in_base64(value):
    """What base64 makes of bytes wherever they begin in what it encodes, but for letters that others have a part in."""
    for offset in range(3):
        bits = 8 * offset
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            found = encode(b"\0" * offset + value).decode()[-(-bits // 6) : (bits + 8 * len(value)) // 6]
            if len(found) >= SHORTEST:
                yield found


def _redacted(texts, forms):
    if isinstance(texts, str):
        for form in forms:
            texts = texts.replace(form, HIDDEN)
        return texts
    if isinstance(texts, dict):
        return type(texts)({key: _redacted(value, forms) for key, value in texts.items()})
    return [_redacted(value, forms) for value in texts] if isinstance(texts, list) else texts
