"""What reviewers say of a run: approved, rejected or withdrawn, by whom and why; in the ledger, and on its page."""

import os
import re
import unicodedata
from pathlib import Path

from crmlab.contracts import InputError
from crmlab.places import sha256
from crmlab.reports import integrity, ledger, store
from crmlab.reports.templates import environment

PAGE = "report.html"
KINDS = ("approved", "rejected", "withdrawn")
PLACE = re.compile(r"<!-- approvals -->.*?<!-- /approvals -->", re.DOTALL)  # on a page
LONGEST = 2000  # letters of a note


def decide(reports: Path, folder: Path, decision: str, by: str, note: str = "", people: int = 1) -> bool:
    """Record what somebody decided about a run, and say it on its page: whether the run is approved then.

    decision : approved, rejected or withdrawn
    people   : how many must have approved a run
    Raises InputError where the run is not what the ledger recorded, so that nothing is said of something else; or where
    nobody is named, or there is nothing to withdraw.
    """
    by, note = " ".join(by.split()), note.strip()
    with ledger.opened(reports) as written:
        book = written.ledger
        found = integrity.standing(folder, book, whole=True)
        breaches = [f"--by {by!r}: name who decides"] if not by else []
        breaches += [f"--note: {len(note):,} letters; write at most {LONGEST:,}"] if len(note) > LONGEST else []
        if decision == "approved" and book.faults:
            breaches.append(f"the ledger was changed ({book.faults[0]}), so that it binds nobody; restore a copy of it")
        if found.state == "unrecorded":
            breaches.append(f"{folder.name}: {found.faults[0]}; run the report again")
        elif book.last_of(folder.name) == "pruned" or not folder.is_dir():
            breaches.append(f"{folder.name}: it was removed meanwhile")
        elif not found.is_intact:
            breaches.append(f"{folder.name}: {'; '.join(found.faults)}; only a run as it was recorded can be judged")
        elif decision == "withdrawn" and same(by) not in (given := standing_approvals(book, folder.name)):
            who = f"those of {', '.join(given.values())} do; reject it to void them" if given else "none does"
            breaches.append(f"{folder.name}: no approval by {by} holds, which could be withdrawn: {who}")
        elif decision == "approved" and store.read(folder).state != "success":
            breaches.append(f"{folder.name}: it did not succeed; only a run that did can be approved")
        if breaches:
            raise InputError(*breaches)
        said = said_of(written.ledger, folder.name)
        approvers, at = {*standing_approvals(written.ledger, folder.name)}, ledger.now()
        approvers = {"approved": approvers | {same(by)}, "withdrawn": approvers - {same(by)}}.get(decision, set())
        holds = len(approvers) >= people
        about = {"by": by, "note": note, "manifest": sha256(folder / integrity.MANIFEST), "holds": holds}
        page, changed = folder / PAGE, {}
        if page.is_file():
            beside = store.beside(folder, PAGE)
            write_page(page, beside, [*said, (decision, by, at, note)], folder.name, holds)
            changed = {
                "changed": {PAGE: [sha256(page), sha256(beside)]},
                "files": integrity.stamp(folder, {PAGE: beside}),
            }
        written.append(decision, folder.parent.name, folder.name, at=at, **about, **changed)
        if changed:
            os.replace(beside, page)
    return holds


def standing_approvals(book: ledger.Ledger, run: str) -> dict[str, str]:
    """Who has approved a run since it was last rejected, and has not withdrawn: one name each -> as it was written."""
    found: dict[str, str] = {}
    for event in book.of(run, *KINDS):
        name = event.about["by"]
        if event.event == "approved":
            found[same(name)] = name
        elif event.event == "withdrawn":
            found.pop(same(name), None)
        else:
            found = {}
    return found


def same(name: str) -> str:
    """What is the same of the ways in which one writes a name."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def last_approved(reports: Path, folder: Path, book: ledger.Ledger) -> Path | None:
    """The last approved run of a report before this one: of the same data and parameters, else of any; None if none."""
    ours = store.read(folder)
    runs = store.folders(reports, folder.parent.name)
    earlier = runs[runs.index(folder) + 1 :] if folder in runs else runs
    approved = [each for each in earlier if book.approved(each.name)]
    alike = [each for each in approved if _asks_the_same(store.read(each), ours)]
    return next(iter(alike or approved), None)


def _asks_the_same(one, other):
    return one.parameters_given == other.parameters_given and [d.name for d in one.data] == [d.name for d in other.data]


def said_of(book: ledger.Ledger, run: str) -> list[tuple[str, str, str, str]]:
    """What its page says of a run, oldest first: what became of it, by whom, when and why."""
    events = book.of(run, *KINDS, "forgotten")
    return [(e.event, e.about.get("by", ""), e.at, e.about.get("note", "")) for e in events]


def stands(decisions: list[str], holds: bool) -> str:
    """Whether a run is approved after these decisions, oldest first: a sentence."""
    last = next((each for each in reversed(decisions) if each in KINDS), "")
    if holds:
        return "It is approved."
    waits = "It is not approved yet: another person has to approve it."
    return {"approved": waits, "rejected": "It is rejected."}.get(last, "It is not approved.")


def write_page(page: Path, to: Path, said: list[tuple[str, str, str, str]], run: str, holds: bool) -> None:
    """Write a page with what was said of its run, and whether it is approved then."""
    now = stands([decision for decision, *_ in said], holds)
    shown = environment().get_template("approvals.html.j2").render(said=said, run=run, stands=now)
    to.write_text(PLACE.sub(lambda _: shown, page.read_text("utf-8"), count=1), "utf-8")
