"""Text that a spreadsheet would run as a formula: an apostrophe before it, and how that is taken off again."""

import json
import re
from pathlib import Path
from typing import Any

RISKY = r"^'+[=+\-@\t\r]"  # text that has an apostrophe already gets one more, so that one can be taken off again
FORMULA = r"^[=+\-@\t\r]"
NUMBER = r"^[+-]?[0-9.,]+([eE][+-]?[0-9]+)?$"
MARK = ".plain"  # a file beside the copy of a run's table
DEPTH = 6  # folders above a table, within which its run is looked for


def plain(cell: Any) -> Any:
    """A cell as a table holds it: text that a spreadsheet would run has an apostrophe before it; numbers stay.

    >>> [plain(cell) for cell in ("=1+2", "-5", "'=1", "a=1", 7)]
    ["'=1+2", '-5', "''=1", 'a=1', 7]
    """
    if not isinstance(cell, str):
        return cell
    formula = re.search(FORMULA, cell) and not re.search(NUMBER, cell)
    return f"'{cell}" if formula or re.search(RISKY, cell) else cell


def original(cell: Any) -> Any:
    """A cell as it was before `plain`.

    >>> [original(cell) for cell in ("'=1+2", "-5", "''=1", "'a")]
    ['=1+2', '-5', "'=1", "'a"]
    """
    return cell[1:] if isinstance(cell, str) and re.search(RISKY, cell) else cell


def are_plain(path: Path) -> bool:
    """Whether a file is a table of a run that wrote its text so, or a copy of one."""
    if path.suffix.lower() != ".csv":
        return False
    if (path.parent / MARK).exists():
        return True
    for folder in list(path.parents)[:DEPTH]:
        manifest = folder / "manifest.json"
        if manifest.is_file():
            try:
                held = json.loads(manifest.read_text("utf-8"))
                return "run" in held and (held.get("exported") or {}).get("csv", "safe") == "safe"
            except (OSError, ValueError, AttributeError, TypeError):
                return False
    return False
