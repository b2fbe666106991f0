"""The ids of checks, which never change: comparisons of runs, and what schedules watch, rest on them."""

import importlib
import json
import re
from pathlib import Path

import pytest

from crmlab.identification import share_changes
from crmlab.sentences import templates

from .public import DOMAINS

ROOT = Path(__file__).parents[1]
LISTED = json.loads(Path(__file__).with_name("check_ids.json").read_text("utf-8"))  # id -> kind; only ever added to
SHIPPED = [
    check
    for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    for cell in json.loads(path.read_text("utf-8"))["cells"]
    for output in cell.get("outputs", ())
    for check in output.get("metadata", {}).get("crmlab", {}).get("checks", ())
]


def defined():
    """Every check function by the id of what it gives; one that only gathers others gives theirs."""
    for domain in DOMAINS:
        checks = importlib.import_module(f"crmlab.{domain}.checks")
        for name in checks.__all__:
            if name in templates(f"crmlab.{domain}"):
                yield f"{domain}.{name}", getattr(checks, name).check_kind
    yield "identification.share_changes", share_changes.check_kind


def test_the_ids_of_checks_are_those_listed():
    assert dict(defined()) == LISTED


@pytest.mark.parametrize("id_", LISTED)
def test_an_id_is_free_of_language_and_has_a_claim(id_):
    domain, name = id_.split(".")
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert templates(f"crmlab.{domain}")[name]["claim"]


@pytest.mark.parametrize("id_", sorted({check["id"] for check in SHIPPED}))
def test_a_shipped_check_bears_a_listed_id_and_its_kind(id_):
    kinds = {check["kind"] for check in SHIPPED if check["id"] == id_}
    assert kinds == {LISTED[".".join(id_.split(".")[:2])]}
