"""The ledger: a chain that shows every line that was changed, added or removed."""

import json
import os
import signal

import pytest

from crmlab.contracts import InputError
from crmlab.reports import integrity, ledger, review, store

from .test_store import manifest, publish


def write(reports, count):
    for n in range(count):
        with ledger.opened(reports) as book:
            book.append("tried", "small", f"run-{n}")


def lines(reports):
    return (reports / ledger.FILE).read_text().splitlines()


def test_a_line_holds_the_hash_of_the_one_before(tmp_path):
    import hashlib

    write(tmp_path, 3)
    first, second, _ = lines(tmp_path)
    assert json.loads(first)["previous"] == "0" * 64
    assert json.loads(second)["previous"] == hashlib.sha256(first.encode()).hexdigest()
    assert [event.sequence for event in ledger.read(tmp_path).events] == [1, 2, 3]
    assert ledger.read(tmp_path).faults == ()


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (
            lambda held: [held[0], held[1].replace("run-1", "run-9"), *held[2:]],
            "line 3 does not follow the line before",
        ),
        (lambda held: [held[0], *held[2:]], "line 2 does not follow the line before it"),
        (lambda held: [held[0], held[0], *held[1:]], "line 2 does not follow the line before it"),
        (lambda held: [held[1], held[0], *held[2:]], "line 1 does not follow the line before it"),
        (lambda held: ["{", *held], "line 1 is none that crmlab writes"),
        (lambda held: [*held, '["a"]'], "line 5 is none that crmlab writes"),
    ],
)
def test_an_edit_breaks_the_chain_where_it_was_made(tmp_path, edit, fault):
    write(tmp_path, 4)
    (tmp_path / ledger.FILE).write_text("\n".join(edit(lines(tmp_path))) + "\n")
    assert ledger.read(tmp_path).faults[0].startswith(fault)


@pytest.mark.parametrize(
    "edit", [lambda held: [*held[:-1], held[-1].replace("run-3", "run-9")], lambda held: held[:-2]]
)
def test_an_edit_of_the_end_is_seen_and_stays_to_be_seen(tmp_path, edit):
    write(tmp_path, 4)
    (tmp_path / ledger.FILE).write_text("\n".join(edit(lines(tmp_path))) + "\n")
    assert ledger.read(tmp_path).faults == ("the last line was changed, or lines behind it were removed",)
    last = len(lines(tmp_path))
    write(tmp_path, 2)
    (fault,) = ledger.read(tmp_path).faults
    assert fault.startswith(f"line {last + 1} does not follow the line before it, which was changed")


def test_a_line_whose_writer_was_killed_before_it_noted_the_end_is_a_line(tmp_path):
    write(tmp_path, 3)
    head = (tmp_path / ledger.HEAD).read_text()
    write(tmp_path, 1)
    (tmp_path / ledger.HEAD).write_text(head)
    assert ledger.read(tmp_path).faults == ()
    write(tmp_path, 1)
    assert (ledger.read(tmp_path).lines, ledger.read(tmp_path).faults) == (5, ())


def test_a_line_that_was_never_finished_is_no_line_and_the_next_one_takes_its_place(tmp_path):
    write(tmp_path, 2)
    with (tmp_path / ledger.FILE).open("a") as stream:
        stream.write('{"sequence": 3, "at"')
    assert (ledger.read(tmp_path).lines, ledger.read(tmp_path).faults) == (2, ())
    write(tmp_path, 1)
    assert (ledger.read(tmp_path).lines, ledger.read(tmp_path).faults) == (3, ())


def test_writers_at_once_make_one_chain(tmp_path):
    children = []
    for _ in range(8):
        children.append(os.fork())
        if children[-1] == 0:
            write(tmp_path, 10)
            os._exit(0)
    for child in children:
        os.waitpid(child, 0)
    assert (ledger.read(tmp_path).lines, ledger.read(tmp_path).faults) == (80, ())


def test_a_run_that_was_recorded_and_not_moved_is_published_by_whoever_cleans_up(tmp_path):
    child = os.fork()
    if child == 0:
        store._move = lambda *of: os.kill(os.getpid(), signal.SIGKILL)
        publish(tmp_path, "20260102T000000Z-00000000")
    os.waitpid(child, 0)
    assert store.folders(tmp_path) == []
    assert integrity.missing(tmp_path) != []
    store.clean(tmp_path)
    (folder,) = store.folders(tmp_path)
    assert integrity.standing(folder, ledger.read(tmp_path), whole=True).is_intact
    assert list((tmp_path / store.STAGING).iterdir()) == []


def test_a_run_whose_maker_was_killed_leaves_a_line_that_it_was_tried(tmp_path):
    sockets = tmp_path / "crmlab-sockets"
    sockets.mkdir()
    child = os.fork()
    if child == 0:
        staged = store.Staged(tmp_path)
        staged.note(folders=[str(sockets)])
        staged.note(report="small", run="20260102T000000Z-00000000")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    store.clean(tmp_path)
    store.clean(tmp_path)
    assert [(e.event, e.report, e.run) for e in ledger.read(tmp_path).events] == [
        ("tried", "small", "20260102T000000Z-00000000")
    ]
    assert not sockets.exists()


def test_pruning_is_recorded_and_a_pruner_that_was_killed_is_followed_up(tmp_path):
    runs = [publish(tmp_path, f"2026010{n}T000000Z-a") for n in (1, 2, 3)]
    with ledger.opened(tmp_path) as book:
        book.append("pruned", "small", runs[0].name)
    store.clean(tmp_path)
    assert set(store.folders(tmp_path)) == {*runs[1:]}
    store.prune(tmp_path, keep=1)
    assert [e.event for e in ledger.read(tmp_path).events] == ["run", "run", "run", "pruned", "pruned"]
    assert integrity.missing(tmp_path) == []


def test_a_run_that_is_gone_and_was_not_pruned_is_missing(tmp_path):
    import shutil

    shutil.rmtree(publish(tmp_path, "20260102T000000Z-00000000"))
    (fault,) = integrity.missing(tmp_path)
    assert fault.startswith("small 20260102T000000Z-00000000 was recorded on ")
    assert fault.endswith(", and is gone")


@pytest.mark.parametrize("report", ["/tmp", "..", ".hidden", "a/b", ""])
def test_a_line_that_names_no_folder_of_a_run_is_none_and_removes_nothing(tmp_path, report):
    victim = tmp_path / "reports" / "victim" / "docs"
    victim.mkdir(parents=True)
    with ledger.opened(tmp_path / "reports") as book:
        book.append("pruned", report, "docs")
    assert ledger.read(tmp_path / "reports").faults[0] == "line 1 is none that crmlab writes"
    store.clean(tmp_path / "reports")
    assert victim.is_dir()


def test_a_broken_chain_removes_no_run(tmp_path):
    folder = publish(tmp_path)
    publish(tmp_path)
    text = (tmp_path / ledger.FILE).read_text()
    (tmp_path / ledger.FILE).write_text(text.replace('"event": "run"', '"event": "pruned"', 1))
    store.clean(tmp_path)
    assert folder.is_dir()


def test_a_run_that_could_not_be_moved_once_recorded_is_published_by_whoever_cleans_up(tmp_path, monkeypatch):
    def full(*of):
        raise OSError(28, "No space left on device")

    staged = store.Staged(tmp_path)
    monkeypatch.setattr(store, "_move", full)
    with pytest.raises(OSError, match="No space"):
        staged.publish(manifest("20260102T000000Z-00000000"))
    staged.discard()
    monkeypatch.undo()
    store.clean(tmp_path)
    (folder,) = store.folders(tmp_path)
    assert integrity.standing(folder, ledger.read(tmp_path), whole=True).is_intact


def test_what_was_pruned_is_not_approved(tmp_path):
    import shutil

    folder = publish(tmp_path)
    with ledger.opened(tmp_path) as book:
        book.append("pruned", "small", folder.name)
    with pytest.raises(InputError, match="it was removed meanwhile"):
        review.decide(tmp_path, folder, "approved", "Ann")
    shutil.rmtree(folder)
    assert integrity.missing(tmp_path) == []


def test_a_lock_that_is_gone_by_now_stops_no_cleaning(tmp_path, monkeypatch):
    staged = store.Staged(tmp_path)
    opened = type(tmp_path).open

    def gone(path, *how, **more):
        if path.suffix == ".lock":
            staged.discard()
        return opened(path, *how, **more)

    monkeypatch.setattr(type(tmp_path), "open", gone)
    store.clean(tmp_path)
    assert ledger.read(tmp_path).events == ()


def test_who_writes_sees_that_the_end_was_taken_off_and_a_head_without_content_is_none(tmp_path):
    for run in "abc":
        with ledger.opened(tmp_path) as book:
            book.append("tried", "small", run)
    path, head = tmp_path / ledger.FILE, tmp_path / ledger.HEAD
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[:-1]).rpartition("{")[0])  # two lines are gone
    with ledger.opened(tmp_path) as book:
        assert book.ledger.faults == ("the last line was changed, or lines behind it were removed",)
    path.write_text(whole)
    for left in (b"", b"\xff\xfe", b"abc"):
        head.write_bytes(left)
        assert ledger.read(tmp_path).faults == ()
    with ledger.opened(tmp_path) as book:
        book.append("tried", "small", "d")
    assert ledger.read(tmp_path).faults == ()


def test_nothing_is_pruned_where_nobody_knows_what_is_approved(tmp_path):
    folders = [publish(tmp_path) for _ in range(3)]
    review.decide(tmp_path, folders[0], "approved", "Ann")
    path = tmp_path / ledger.FILE
    path.write_text(path.read_text().replace('"approved"', '"approvedx"'))
    with pytest.raises(InputError, match="nobody knows which runs are approved; nothing is removed"):
        store.prune(tmp_path, 1)
    assert all(folder.is_dir() for folder in folders)
