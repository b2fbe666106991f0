import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crmlab.contracts import InputError
from crmlab.reports import review, snapshot, store
from crmlab.reports.manifest import Code, Environment, Manifest


def manifest(run, report="small", state="success"):
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return Manifest(
        report=report,
        run=run,
        state=state,
        notebook="notebooks/01_small.ipynb",
        notebook_sha256="0" * 64,
        parameters_given={},
        parameters={},
        data=[],
        code=Code(commit=None, dirty=None, sha256="0" * 64),
        environment=Environment(python="3.11", platform="linux", lock_sha256=None, packages={}),
        seed=None,
        started=now,
        ended=now,
        seconds={"execute": 1.0},
    )


def publish(reports, run=None, **about):
    staged = store.Staged(reports)
    (staged.folder / "tables" / "days.csv").write_text("a\n1\n")
    return staged.publish(manifest(run or store.new_run(), **about))


def test_a_staged_run_is_not_seen(tmp_path):
    staged = store.Staged(tmp_path)
    (staged.folder / "manifest.json").write_text("{}")
    assert store.folders(tmp_path) == []
    staged.discard()


def test_a_published_run_is_seen_whole_and_its_staging_is_gone(tmp_path):
    folder = publish(tmp_path)
    assert store.folders(tmp_path) == [folder]
    assert list((tmp_path / store.STAGING).iterdir()) == []
    assert (folder / "tables" / "days.csv").read_text() == "a\n1\n"


def test_the_manifest_keeps_the_hash_of_every_artefact(tmp_path):
    read = store.read(publish(tmp_path))
    assert read.artefacts == {"tables/days.csv": hashlib.sha256(b"a\n1\n").hexdigest()}


def test_a_manifest_reads_back_as_it_was_written(tmp_path):
    folder = publish(tmp_path, "20260102T000000Z-00000000")
    assert store.read(folder).model_copy(update={"artefacts": {}, "sequence": None}) == manifest(
        "20260102T000000Z-00000000"
    )
    assert json.loads((folder / "manifest.json").read_text())["state"] == "success"


def older(reports, run):
    """A good run of schema 1."""
    folder = reports / "small" / run
    folder.mkdir(parents=True)
    text = json.loads((Path(__file__).parent / "manifest_schema_1.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(text | {"run": run, "report": "small"}))
    return folder


def test_a_manifest_of_the_older_form_reads_as_far_as_it_goes(tmp_path):
    made = store.read(older(tmp_path, "20260102T000000Z-00000000"))
    assert (made.older, made.schema_version) == (True, 1)
    assert made.facts["orders_ahead"] == {"value": 2173.4, "unit": "orders", "pi_low": 1894.0, "pi_high": 2471.0}
    assert made.facts["value_ahead"]["ci_low"] == 61019.8
    assert [(check["outcome"], check["recommendation"]) for check in made.checks] == [
        ("passed", ""), ("failed", "a fit to the later customers alone (acquired_from)"),
    ]  # fmt: skip
    assert json.loads(made.model_dump_json())["schema"] == 1


def test_a_new_manifest_says_its_schema(tmp_path):
    assert json.loads((publish(tmp_path) / "manifest.json").read_text())["schema"] == 2


def test_a_run_of_the_older_form_answers_for_nothing_and_is_the_latest_good_one_only_for_want_of_another(tmp_path):
    newer = older(tmp_path, "20260103T000000Z-00000000")
    assert store.latest(tmp_path, "small", good=True) == newer
    good = publish(tmp_path, "20260102T000000Z-00000000")
    assert store.latest(tmp_path, "small", good=True) == good
    assert store.latest(tmp_path, "small") == good  # those that the ledger does not know come after all others
    assert store.find_reusable(tmp_path, "small", "7" * 64) is None


def test_a_run_is_never_written_over(tmp_path):
    publish(tmp_path, "20260102T000000Z-00000000")
    with pytest.raises(OSError, match="not empty"):
        publish(tmp_path, "20260102T000000Z-00000000")


def test_runs_come_newest_first_by_the_ledger_whatever_their_clocks_said(tmp_path):
    for run, report in (("20260103T000000Z-b", "one"), ("20400101T000000Z-a", "two"), ("20260102T000000Z-c", "one")):
        publish(tmp_path, run, report=report)
    assert [f.name[:8] for f in store.folders(tmp_path)] == ["20260102", "20400101", "20260103"]
    assert [f.name[:8] for f in store.folders(tmp_path, "one")] == ["20260102", "20260103"]


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path):
    folder = publish(tmp_path, "20260102T000000Z-abcd1234")
    publish(tmp_path, "20260103T000000Z-abcd1234")
    assert store.find(tmp_path, "20260102") == folder
    assert store.find(tmp_path, "small") == tmp_path / "small" / "20260103T000000Z-abcd1234"
    with pytest.raises(InputError, match="0 runs begin with '2027'; the latest are 20260103T"):
        store.find(tmp_path, "2027")
    with pytest.raises(InputError, match="2 runs begin with '2026'"):
        store.find(tmp_path, "2026")


def test_latest_and_latest_good_are_told_apart_and_pointed_at(tmp_path):
    publish(tmp_path, "20260101T000000Z-a")
    good = publish(tmp_path, "20260102T000000Z-b")
    newest = publish(tmp_path, "20260103T000000Z-c", state="failed")
    assert (store.latest(tmp_path, "small"), store.latest(tmp_path, "small", good=True)) == (newest, good)
    for _ in range(2):
        store.update_links(tmp_path)
        assert (tmp_path / "small" / "latest").resolve() == newest
        assert (tmp_path / "small" / "latest-good").resolve() == good
        assert len(store.folders(tmp_path)) == 3
    assert store.latest(tmp_path, "other") is None


def test_pruning_keeps_the_newest_the_last_good_and_the_approved(tmp_path):
    runs = [publish(tmp_path, f"2026010{n}T000000Z-a", state="success" if n < 4 else "failed") for n in range(1, 8)]
    review.decide(tmp_path, runs[0], "approved", "Ann")
    removed = store.prune(tmp_path, keep=2)
    kept = {runs[0], runs[2], runs[5], runs[6]}
    assert set(store.folders(tmp_path)) == kept
    assert set(removed) == set(runs) - kept
    assert list((tmp_path / store.STAGING).iterdir()) == []


def test_twenty_writers_at_once_leave_twenty_runs(tmp_path):
    with ThreadPoolExecutor(20) as pool:
        published = list(pool.map(lambda _: publish(tmp_path), range(20)))
    assert len(set(published)) == 20
    assert sorted(store.folders(tmp_path)) == sorted(published)


def test_copies_of_code_are_pruned_only_while_nobody_takes_one_into_use(tmp_path):
    publish(tmp_path)
    spare = tmp_path / snapshot.FOLDER / ("f" * 64)
    spare.mkdir(parents=True)
    pruning = threading.Thread(target=store.prune, args=(tmp_path, 5))
    with snapshot.held(tmp_path):
        pruning.start()
        pruning.join(0.3)
        assert pruning.is_alive()
        assert spare.is_dir()
    pruning.join(30)
    assert not spare.exists()
