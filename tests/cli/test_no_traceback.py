"""Whatever is given, the answer is words: no traceback, no end that never comes."""

import json
import os

import pytest

from ..reports.conftest import TINY, TOLD, project, write_notebook  # noqa: F401, a fixture
from ..reports.test_store import publish
from ..shell import crmlab, process

LONG, NESTED = "a" * 300, "[" * 3000


def refused(*arguments, cwd, by=crmlab, **environment):
    """What a refused command says, in few words."""
    done = by(*arguments, cwd=cwd, **environment)
    assert done.returncode == 2, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 2500
    return done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "~"), "is your home folder, or holds it"),
        (("check", "/"), "is your home folder, or holds it"),
        (("check", LONG), "no data 'aaa"),
        (("check", f"{LONG}.csv"), "there is no file or folder"),
        (("check", NESTED), "no data '[[["),
        (("check", os.fsdecode(b"data/\xff.csv")), "its name holds bytes that are no UTF-8; rename it"),
        (("check", "data/loop"), "there is no file or folder"),
        (("check", "far"), "skip"),
        (("show", "/etc"), "0 runs begin with '/etc'"),
        (("show", "*"), "0 runs begin with '*'"),
        (("show", ".."), "0 runs begin with '..'"),
        (("show", ""), "the run is empty, as an unset variable leaves it"),
        (("show", LONG), "0 runs begin with"),
        (("verify", "*"), "0 runs begin with '*'"),
        (("approve", "*", "--by", "Ann"), "0 runs begin with '*'"),
        (("forget", " "), "the customer's id is empty"),
        (("run", LONG), "there is no report"),
        (("run", "small", "-p", f"days={NESTED}"), "is not of type int"),
        (("run", "small", "-p", f"split={NESTED}"), "is not of type"),
        (("runs", "*"), "there is no report '*'"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(project, arguments, said):  # noqa: F811
    publish(project / "reports")
    (project / "data" / "loop").symlink_to("loop")
    with open(os.fsencode(project / "data") + b"/\xff.csv", "w") as stream:
        stream.write("customer_id,time,amount\n1,2024-01-01,2\n")
    (project / "data" / "catalog.toml").write_text(
        '[sales]\npath = "sales.csv"\n[far]\npath = "sales.csv"\nskip = 1000000000\n'
    )
    assert said in refused(*arguments, cwd=project)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CRMLAB_THREADS", "abc", "write how many threads there are to be"),
        ("CRMLAB_THREADS", "9" * 40, "write how many threads there are to be"),
        ("CRMLAB_THREADS", "-1", "write how many threads there are to be"),
        ("CRMLAB_MEMORY", "abc", "write a size such as"),
    ],
)
def test_a_variable_that_makes_no_sense_is_refused_in_words(project, name, value, said):  # noqa: F811
    assert said in refused("check", "sales", cwd=project, by=process, **{name: value})


def test_a_run_with_an_empty_mask_key_is_refused(project):  # noqa: F811
    assert "CRMLAB_MASK_KEY is empty" in refused("run", "small", cwd=project, CRMLAB_MASK_KEY="")


@pytest.mark.parametrize("text", ["a=" + NESTED, "[", "\x00"])
def test_a_catalog_that_is_no_toml_is_refused_in_words(project, text):  # noqa: F811
    (project / "data" / "catalog.toml").write_text(text)
    assert "catalog.toml: cannot be read as TOML" in refused("check", "sales", cwd=project)


def test_a_folder_that_holds_a_name_that_is_no_utf_8_is_refused_in_words(project):  # noqa: F811
    (project / "data" / "log").mkdir()
    with open(os.fsencode(project / "data" / "log") + b"/\xff.csv", "w") as stream:
        stream.write("customer_id,time,amount\n1,2024-01-01,2\n")
    assert "its name holds bytes that are no UTF-8; rename it" in refused("check", "data/log", cwd=project)


@pytest.mark.parametrize("command", ["show", "reproduce"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: json.dumps(made | {"extra": 1}), "has no field 'extra'"),
        (lambda made: json.dumps(made | {"facts": 3}), "facts = 3; write a table"),
        (lambda made: NESTED, "is no manifest that can be read: "),
        (lambda made: "", "is no manifest that can be read: Expecting value"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_said_to_be_and_stops_no_other(project, change, said, command):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", TOLD, **TINY)
    path = publish(project / "reports", report="tiny") / "manifest.json"
    publish(project / "reports")
    path.write_text(change(json.loads(path.read_text())))
    assert said in refused(command, "tiny", cwd=project)
    for other in (("runs",), ("site",), ("prune", "--keep", "5")):
        done = crmlab(*other, cwd=project)
        assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert "tampered" in crmlab("runs", cwd=project).stdout


def test_a_package_that_ships_data_is_found_and_not_imported(project):  # noqa: F811
    shop = project / "site" / "shop_data"
    (shop / "inner").mkdir(parents=True)
    for folder in (shop, shop / "inner"):
        (folder / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (shop / "inner" / "sales.csv").write_text("customer_id,time,amount\n1,2024-01-01,2\n")
    (project / "data" / "catalog.toml").write_text('[sales]\npackage = "shop_data.inner"\npath = "sales.csv"\n')
    done = process("check", "sales", cwd=project, PYTHONPATH=str(project / "site"))
    assert (done.returncode, done.stderr) == (0, "")
