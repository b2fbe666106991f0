"""Whether a run is what the ledger recorded, by sizes and times, and by hashes."""

import json
import os
import shutil

import pytest

from crmlab.contracts import InputError
from crmlab.reports import integrity, ledger, review, site, store

from .test_store import manifest, older, publish


def state(folder, whole=True):
    return integrity.standing(folder, ledger.read(folder.parents[1]), whole)


def append(path):
    path.write_text(path.read_text() + " ")


CHANGES = {
    "a table was edited": (lambda f: append(f / "tables" / "days.csv"), "tables/days.csv has been changed"),
    "a table is gone": (lambda f: (f / "tables" / "days.csv").unlink(), "tables/days.csv is gone"),
    "the manifest was edited": (
        lambda f: append(f / "manifest.json"),
        "manifest.json is not the one that was recorded",
    ),
    "the manifest is gone": (lambda f: (f / "manifest.json").unlink(), "manifest.json cannot be read"),
    "a table is a link": (
        lambda f: (
            shutil.move(f / "tables" / "days.csv", f.parent),
            (f / "tables" / "days.csv").symlink_to("/etc/hosts"),
        ),
        "tables/days.csv has been changed",
    ),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_seen_and_named(tmp_path, what, whole):
    folder, (change, fault) = publish(tmp_path), CHANGES[what]
    assert state(folder, whole) == integrity.Standing("intact")
    change(folder)
    found = state(folder, whole)
    assert found.state == "tampered"
    assert found.faults[0].startswith(fault)


def test_a_change_that_keeps_size_and_time_is_seen_by_its_hash(tmp_path):
    path = publish(tmp_path) / "tables" / "days.csv"
    about = path.stat()
    path.write_text("a\n2\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    folder = path.parents[1]
    assert state(folder, whole=False).state == "intact"
    assert state(folder, whole=True).state == "tampered"


def test_a_run_that_was_copied_with_new_times_is_intact(tmp_path):
    folder = publish(tmp_path)
    for path in folder.rglob("*.*"):
        os.utime(path, ns=(1, 1))
    assert state(folder, whole=False).state == "intact"


def test_a_file_that_is_not_of_the_run_is_named_and_changes_nothing(tmp_path):
    folder = publish(tmp_path)
    (folder / ".ipynb_checkpoints").mkdir()
    (folder / ".ipynb_checkpoints" / "report-checkpoint.ipynb").touch()
    assert state(folder) == integrity.Standing("intact", extra=(".ipynb_checkpoints/report-checkpoint.ipynb",))


def test_a_run_that_is_older_than_the_ledger_is_unrecorded(tmp_path):
    assert state(older(tmp_path, "20260102T000000Z-00000000")).state == "unrecorded"


def test_a_run_moved_to_another_report_is_unrecorded(tmp_path):
    folder = publish(tmp_path)
    moved = tmp_path / "other" / folder.name
    moved.parent.mkdir()
    folder.rename(moved)
    assert state(moved).state == "unrecorded"


def test_a_tampered_run_is_no_latest_good_one_and_no_headline(tmp_path):
    good, edited = publish(tmp_path), publish(tmp_path)
    append(edited / "tables" / "days.csv")
    assert store.latest(tmp_path, "small", good=True) == good
    page = site.build(tmp_path).read_text()
    assert page.count("tampered with") == 1
    assert {row.name: (row.record, row.is_good) for row in site.rows(tmp_path)} == {
        good.name: ("intact", True),
        edited.name: ("tampered", False),
    }


def test_a_page_that_was_edited_between_two_indexes_is_seen_by_the_second(tmp_path):
    folder = publish(tmp_path)
    site.build(tmp_path)
    append(folder / "tables" / "days.csv")
    assert [row.record for row in site.rows(tmp_path)] == ["tampered"]


def paged(reports, **about):
    staged = store.Staged(reports)
    (staged.folder / "report.html").write_text("<p>x</p><!-- approvals -->none<!-- /approvals --><p>y</p>")
    from .test_store import manifest

    return staged.publish(manifest(store.new_run(), **about))


def test_an_approval_is_in_the_ledger_and_on_the_page_and_leaves_the_run_intact(tmp_path):
    folder = paged(tmp_path)
    assert review.decide(tmp_path, folder, "approved", " Ann  Lee ", "Agrees with <b>finance</b>")
    page = (folder / "report.html").read_text()
    assert "<strong>Approved</strong> by Ann Lee, " in page
    assert "Agrees with &lt;b&gt;finance&lt;/b&gt;" in page
    assert page.startswith("<p>x</p>")
    assert page.endswith("<p>y</p>")
    assert state(folder, whole=False).is_intact
    assert state(folder, whole=True).is_intact
    assert ledger.read(tmp_path).approved(folder.name).about["by"] == "Ann Lee"


@pytest.mark.parametrize(("decision", "left"), [("withdrawn", "Withdrawn"), ("rejected", "Rejected")])
def test_an_approval_ends_when_it_is_withdrawn_or_the_run_rejected(tmp_path, decision, left):
    folder = paged(tmp_path)
    review.decide(tmp_path, folder, "approved", "Ann")
    by = "ANN" if decision == "withdrawn" else "Bob"  # who withdraws is who approved, however it is written
    review.decide(tmp_path, folder, decision, by, "a wrong split")
    assert ledger.read(tmp_path).approved(folder.name) is None
    page = (folder / "report.html").read_text()
    assert "<strong>Approved</strong> by Ann" in page
    assert f"<strong>{left}</strong> by {by}" in page
    assert state(folder).is_intact


def test_two_people_must_approve_where_the_suite_says_so_and_one_of_them_twice_is_one(tmp_path):
    folder = paged(tmp_path)
    assert not review.decide(tmp_path, folder, "approved", "Ann", people=2)
    assert not review.decide(tmp_path, folder, "approved", " ann", people=2)
    assert ledger.read(tmp_path).approved(folder.name) is None
    assert review.decide(tmp_path, folder, "approved", "Bob", people=2)
    assert ledger.read(tmp_path).approved(folder.name)
    with pytest.raises(InputError, match=r"no approval by Eve holds, .*: those of .*, Bob do; reject it to void them"):
        review.decide(tmp_path, folder, "withdrawn", "Eve", people=2)
    assert review.decide(tmp_path, folder, "withdrawn", "Bob", people=1)  # Ann's stands
    assert not review.decide(tmp_path, folder, "withdrawn", "Ann", people=1)


def test_an_approval_that_nobody_gave_counts_for_nothing(tmp_path):
    folder = paged(tmp_path)
    with ledger.opened(tmp_path) as book:
        about = {"by": "Mallory", "note": "", "holds": True}
        book.append("approved", folder.parent.name, folder.name, **about, manifest="x")
    assert ledger.read(tmp_path).approved(folder.name) is None
    line = {"sequence": 9, "at": ledger.now(), "event": "approved", "report": "small", "run": folder.name, **about}
    line |= {"manifest": ledger.read(tmp_path).runs[folder.name].about["manifest"], "previous": "0" * 64}
    with (tmp_path / ledger.FILE).open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    assert ledger.read(tmp_path).faults
    assert ledger.read(tmp_path).approved(folder.name) is None


def test_a_run_that_failed_is_not_approved(tmp_path):
    folder = store.Staged(tmp_path).publish(manifest(store.new_run(), state="failed"))
    with pytest.raises(InputError, match="it did not succeed; only a run that did can be approved"):
        review.decide(tmp_path, folder, "approved", "Ann")


def test_the_last_approved_run_is_an_earlier_one_of_the_same_parameters(tmp_path):
    def made(n):
        return store.Staged(tmp_path).publish(
            manifest(store.new_run()).model_copy(update={"parameters_given": {"n": n}})
        )  # fmt: skip

    folders = [made(n) for n in "1212"]
    for folder in (*folders[:2], folders[3]):
        review.decide(tmp_path, folder, "approved", "Ann")
    book = ledger.read(tmp_path)
    assert review.last_approved(tmp_path, folders[2], book) == folders[0]
    assert review.last_approved(tmp_path, folders[3], book) == folders[1]
    assert review.last_approved(tmp_path, folders[0], book) is None
    assert review.last_approved(tmp_path, made("3"), book) == folders[3]  # of any, where none is alike


def test_what_cannot_be_judged_is_refused_with_every_reason(tmp_path):
    folder = paged(tmp_path)
    with pytest.raises(InputError, match="no approval by Ann holds, which could be withdrawn: none does"):
        review.decide(tmp_path, folder, "withdrawn", "Ann")
    append(folder / "report.html")
    with pytest.raises(InputError) as refused:
        review.decide(tmp_path, folder, "approved", " ", "x" * 3000)
    assert len(refused.value.breaches) == 3
    assert "report.html has been changed" in refused.value.breaches[2]
    unknown = older(tmp_path, "20260102T000000Z-00000000")
    with pytest.raises(InputError, match="the ledger does not know this run; run the report again"):
        review.decide(tmp_path, unknown, "approved", "Ann")


def test_a_change_after_an_approval_voids_it_in_the_index(tmp_path):
    folder = paged(tmp_path)
    review.decide(tmp_path, folder, "approved", "Ann", "agrees with <b>finance</b>")
    page = site.build(tmp_path).read_text()
    assert '<span class="quiet">approved by Ann, ' in page
    assert ": agrees with &lt;b&gt;finance&lt;/b&gt;</span>" in page
    append(folder / "report.html")
    page = site.build(tmp_path).read_text()
    assert "approved by Ann" not in page
    assert "tampered with" in page


@pytest.mark.parametrize("known", [True, False])
def test_a_page_that_waits_takes_its_place_just_where_the_ledger_knows_of_it(tmp_path, known):
    folder = paged(tmp_path)
    waiting = store.beside(folder, "report.html")
    waiting.write_text("<p>approved</p>")
    if known:
        digest = integrity.sha256(waiting)
        with ledger.opened(tmp_path) as book:
            changed = {"report.html": [integrity.sha256(folder / "report.html"), digest]}
            about = {"by": "Ann", "note": "", "holds": True, "changed": changed}
            book.append("approved", "small", folder.name, **about, files="")
    store.clean(tmp_path)
    assert not waiting.exists()
    assert ((folder / "report.html").read_text() == "<p>approved</p>") == known
    assert state(folder).is_intact


def test_the_manifest_says_its_place_in_the_ledger(tmp_path):
    folders = [publish(tmp_path) for _ in range(3)]
    assert [json.loads((f / "manifest.json").read_text())["sequence"] for f in folders] == [1, 2, 3]


def test_an_approved_run_whose_sizes_and_times_were_kept_is_no_headline(tmp_path):
    folder = publish(tmp_path)
    review.decide(tmp_path, folder, "approved", "Ann")
    site.build(tmp_path)
    assert "approved by Ann" in (tmp_path / "index.html").read_text()
    path = folder / "tables" / "days.csv"
    about = path.stat()
    path.write_text("a\n2\n")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    site.build(tmp_path)
    assert "approved by Ann" not in (tmp_path / "index.html").read_text()


def test_nothing_is_approved_where_the_ledger_was_changed(tmp_path):
    publish(tmp_path)
    folder = publish(tmp_path)
    lines = (tmp_path / ledger.FILE).read_text().splitlines(keepends=True)
    (tmp_path / ledger.FILE).write_text(lines[0].replace('"success"', '"failed" ') + lines[1])
    with pytest.raises(InputError, match=r"the ledger was changed \(line 2 does not follow"):
        review.decide(tmp_path, folder, "approved", "Ann")
    review.decide(tmp_path, folder, "rejected", "Ann")


def test_the_index_says_that_the_ledger_was_changed(tmp_path):
    publish(tmp_path)
    site.build(tmp_path)
    assert "The ledger of these runs was changed" not in (tmp_path / "index.html").read_text()
    path = tmp_path / ledger.FILE
    path.write_text(path.read_text().replace('"success"', '"failed" '))
    site.build(tmp_path)
    assert (
        "(the last line was changed, or lines behind it were removed): no approval counts"
        in (tmp_path / "index.html").read_text()
    )


@pytest.mark.parametrize(
    ("decisions", "holds", "said"),
    [
        (["approved"], True, "It is approved."),
        (["approved"], False, "It is not approved yet: another person has to approve it."),
        (["approved", "rejected"], False, "It is rejected."),
        (["approved", "withdrawn"], False, "It is not approved."),
        (["approved", "approved", "withdrawn"], True, "It is approved."),
        (["rejected", "forgotten"], False, "It is rejected."),
    ],
)
def test_a_page_says_first_whether_its_run_is_approved(decisions, holds, said):
    assert review.stands(decisions, holds) == said


def test_a_rejected_run_is_marked_on_its_page_and_in_the_index_until_it_is_approved(tmp_path):
    folder = paged(tmp_path)
    for decision, marked in (("rejected", True), ("approved", False)):
        review.decide(tmp_path, folder, decision, "Ann")
        site.build(tmp_path)
        assert ("<b>rejected</b>" in (tmp_path / "index.html").read_text()) == marked
        assert ("<p>It is rejected.</p>" in (folder / "report.html").read_text()) == marked
