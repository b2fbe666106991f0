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


def redact(kept):
    """A copy of texts, however nested, without the values of environment variables whose names look like secrets."""
    hidden = [name for name in os.environ if NAMES.search(name) and name not in FOLDERS]
    values = {os.environ[name] for name in hidden if len(os.environ[name]) >= SHORTEST}
    written = {form for value in values for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])}
    return _without(kept, sorted(written | {html.escape(form) for form in written}, key=len, reverse=True))


def _without(kept, forms):
    if isinstance(kept, str):
        for form in forms:
            kept = kept.replace(form, HIDDEN)
        return kept
    if isinstance(kept, dict):
        return type(kept)({key: _without(value, forms) for key, value in kept.items()})
    return [_without(value, forms) for value in kept] if isinstance(kept, list) else kept
