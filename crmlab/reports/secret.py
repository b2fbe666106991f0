"""What looks like a secret, and what is kept rid of the ones there are."""

import html
import json
import os
import re

NAMES = re.compile(
    r"passw|passphrase|pwd|secret|token|api_?key|access_?key|credential|private_?key|bearer|^auth$", re.IGNORECASE
)
FOLDERS = ("PWD", "OLDPWD")  # where a shell is, and was
SHORTEST = 6  # characters; shorter values would be found in ordinary text
HIDDEN = "[secret]"


def redact(texts):
    """A copy of texts, however nested, without the values of environment variables whose names look like secrets."""
    hidden = [name for name in os.environ if NAMES.search(name) and name not in FOLDERS]
    values = {os.environ[name] for name in hidden if len(os.environ[name]) >= SHORTEST}
    written = {form for value in values for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])}
    return _redacted(texts, sorted(written | {html.escape(form) for form in written}, key=len, reverse=True))


def _redacted(texts, forms):
    if isinstance(texts, str):
        for form in forms:
            texts = texts.replace(form, HIDDEN)
        return texts
    if isinstance(texts, dict):
        return type(texts)({key: _redacted(value, forms) for key, value in texts.items()})
    return [_redacted(value, forms) for value in texts] if isinstance(texts, list) else texts
