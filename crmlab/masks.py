"""Customer ids as they are shown: masked, unless somebody asks for them on a terminal of their own."""

import hashlib
import hmac
import os
import re
from typing import Any

from crmlab.contracts.errors import InputError

SHOW = "CRMLAB_SHOW_IDS"  # set, messages show ids as they are; no run hears of it


def key() -> bytes:
    """The key of masks, `$CRMLAB_MASK_KEY`. Raises InputError where it is empty."""
    found = os.environ.get("CRMLAB_MASK_KEY", "crmlab").encode()
    if not found:
        raise InputError("CRMLAB_MASK_KEY is empty, so that anybody could undo the masks; set it to a key, or unset it")
    return found


def mask(customer_id: Any) -> str:
    """A customer id as displays show it: the same for the same id and key, and no way back without the key.

    The key is `$CRMLAB_MASK_KEY`; without one, whoever has the list of ids can find them by trying.
    """
    return "c-" + hmac.new(key(), str(customer_id).encode(), hashlib.sha256).hexdigest()[:8]


def in_message(customer_id: Any) -> str:
    """A customer id as messages show it.

    >>> in_message("00123")
    'c-9b40012c'
    """
    return repr(customer_id) if os.environ.get(SHOW) else mask(customer_id)


def outline(customer_id: str) -> str:
    """How an id is written, with x and 9 in place of its letters and digits.

    >>> outline(" K-77.0")
    "' x-99.9'"
    """
    return repr(customer_id if os.environ.get(SHOW) else re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", customer_id)))
