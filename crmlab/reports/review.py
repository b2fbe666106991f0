"""What reviewers say of a run: approved, rejected or withdrawn, by whom and why; in the ledger, and on its page."""

import os
import re
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
        elif decision == "withdrawn" and not standing_approvals(book, folder.name):
            breaches.append(f"{folder.name}: no approval of it holds, so that there is none to withdraw")
        if breaches:
            raise InputError(*breaches)
        said = [(e.event, e.about["by"], e.at, e.about["note"]) for e in written.ledger.of(folder.name, *KINDS)]
        approvers = {*standing_approvals(written.ledger, folder.name), by} if decision == "approved" else set()
        holds, at = decision == "approved" and len(approvers) >= people, ledger.now()
        about = {"by": by, "note": note, "manifest": sha256(folder / integrity.MANIFEST), "holds": holds}
        page, changed = folder / PAGE, {}
        if page.is_file():
            beside = store.beside(folder, PAGE)
            _write_page(page, beside, [*said, (decision, by, at, note)], folder.name)
            changed = {
                "changed": {PAGE: [sha256(page), sha256(beside)]},
                "files": integrity.stamp(folder, {PAGE: beside}),
            }
        written.append(decision, folder.parent.name, folder.name, at=at, **about, **changed)
        if changed:
            os.replace(beside, page)
    return holds


def standing_approvals(book: ledger.Ledger, run: str) -> list[str]:
    """Who has approved a run since it was last rejected or withdrawn."""
    names: list[str] = []
    for event in book.of(run, *KINDS):
        names = [*names, event.about["by"]] if event.event == "approved" else []
    return names


def _write_page(page, to, said, run):
    """Write a page with what was said of its run."""
    shown = environment().get_template("approvals.html.j2").render(said=said, run=run)
    to.write_text(PLACE.sub(lambda _: shown, page.read_text("utf-8"), count=1), "utf-8")
