"""A run is answered from the store just where its notebook, parameters, data, code and lock are as they were."""

import os
import shutil
import time

import pytest

from crmlab.reports import ledger, manifest, parameters, snapshot, store

from .test_store import manifest as a_manifest


@pytest.fixture
def inputs(project, monkeypatch):
    """The file behind each input of a run; the code is a copy of the module's."""
    package = project / "package"
    shutil.copytree(snapshot.PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(snapshot, "PACKAGE", package)
    (project / "requirements.lock").write_text("one==1\n")
    beside = project / "notebooks" / "ours" / "rules.py"
    beside.parent.mkdir()
    beside.write_text("cut = 3\n")
    return {
        "notebook": project / "notebooks" / "01_small.ipynb",
        "data": project / "data" / "sales.csv",
        "code": package / "clv" / "tables.py",
        "template": package / "reports" / "templates" / "crmlab.css",
        "lock": project / "requirements.lock",
        "catalog entry": project / "data" / "catalog.toml",
        "module beside": beside,
    }


def key(project, **given):
    (job,) = parameters.prepare(project, [("small", given)])
    return manifest.key(job, project)


@pytest.mark.parametrize("what", ["notebook", "data", "code", "template", "lock", "catalog entry", "module beside"])
def test_a_run_is_the_same_until_a_byte_changes(project, inputs, what):
    before, path = key(project), inputs[what]
    os.utime(path, ns=(1, 1))
    assert key(project) == before
    more = {"data": "00123,2024-03-21,1\n", "catalog entry": 'zero = "drop"\n'}.get(what, "\n")
    path.write_text(path.read_text() + more)
    assert key(project) != before


def test_a_run_is_another_under_another_mask_key(project, inputs, monkeypatch):
    before = key(project)
    monkeypatch.setenv("CRMLAB_MASK_KEY", "another")
    assert key(project) != before


@pytest.mark.parametrize(("given", "same"), [({}, True), ({"days": "30"}, True), ({"days": "31"}, False)])
def test_a_run_is_the_same_until_a_parameter_changes(project, inputs, given, same):
    assert (key(project, **given) == key(project)) == same


def test_a_rewritten_file_of_the_same_bytes_is_the_same(project, inputs):
    before, text = key(project), inputs["data"].read_text()
    inputs["data"].unlink()
    inputs["data"].write_text(text)
    assert key(project) == before


def test_a_run_on_a_database_file_is_the_same_until_the_file_changes(project):
    import duckdb

    def write(amount):
        with duckdb.connect(project / "new.duckdb") as file:
            values = f"'a' AS customer_id, DATE '2024-01-01' AS time, {amount} AS amount"
            file.execute(f"CREATE TABLE log AS SELECT {values}")
        (project / "new.duckdb").replace(project / "data" / "shop.duckdb")

    write(1.0)
    (project / "data" / "catalog.toml").write_text('[shop]\nuri = "duckdb://shop.duckdb"\ntable = "log"\n')
    before = key(project, data="shop")
    assert len(before) == 64
    assert key(project, data="shop") == before
    write(2.0)
    assert key(project, data="shop") != before


def publish(project, key, state="success"):
    staged = store.Staged(project / "reports")
    return staged.publish(a_manifest(store.new_run(), state=state).model_copy(update={"key": key}))


def test_only_a_good_run_answers(project):
    publish(project, "a" * 64, "failed")
    assert store.find_reusable(project / "reports", "small", "a" * 64) is None
    good = publish(project, "a" * 64)
    publish(project, "a" * 64, "killed")
    assert store.find_reusable(project / "reports", "small", "a" * 64) == good
    assert store.find_reusable(project / "reports", "small", "b" * 64) is None
    assert store.find_reusable(project / "reports", "other", "a" * 64) is None


def test_a_run_that_was_changed_answers_for_nothing(project):
    folder = publish(project, "a" * 64)
    (folder / "manifest.json").write_text((folder / "manifest.json").read_text() + " ")
    assert store.find_reusable(project / "reports", "small", "a" * 64) is None


def test_a_run_whose_file_was_changed_with_its_size_and_time_kept_answers_for_nothing(project):
    staged = store.Staged(project / "reports")
    (staged.folder / "tables" / "days.csv").write_text("a\n1\n")
    folder = staged.publish(a_manifest(store.new_run()).model_copy(update={"key": "a" * 64}))
    assert store.find_reusable(project / "reports", "small", "a" * 64) == folder
    path = folder / "tables" / "days.csv"
    about = path.stat()
    path.write_text("a\n2\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert path.stat().st_size == about.st_size
    assert store.find_reusable(project / "reports", "small", "a" * 64) is None


def test_a_run_that_the_ledger_does_not_know_answers_for_nothing(project):
    folder = publish(project, "a" * 64)
    (project / "reports" / ledger.FILE).unlink()
    assert store.folders(project / "reports") == [folder]
    assert store.find_reusable(project / "reports", "small", "a" * 64) is None


def test_a_thousand_runs_are_searched_within_three_tenths_of_a_second(project):
    for n in range(1000):
        publish(project, f"{n:064d}")
    took = []
    for sought in (0, 500, 5000):
        begun = time.process_time()
        found = store.find_reusable(project / "reports", "small", f"{sought:064d}")
        took.append(time.process_time() - begun)
        assert (found is not None) == (sought < 1000)
    assert min(took) < max(took) < 0.3, took
