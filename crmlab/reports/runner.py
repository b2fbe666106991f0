"""From checked jobs to published folders: one after the other, or several at once."""

import importlib
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat

from crmlab import places
from crmlab.check import Check
from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.reports import ahead, causes, exposed, inputs, manifest, parameters, snapshot, store
from crmlab.reports.manifest import Described, Error, Exported, Manifest
from crmlab.reports.worker import CancelledError, Pool, Worker

BEGUN = snapshot.of_package()  # the code of this process, which writes the pages
LISTED = ("notes", "tables", "figures")  # of what a Report gives: names alone
CHANGED = ("plain", "withheld")  # of what a Report gives: cells that were written otherwise, by path


def run(job, root, reports, progress=lambda done, cells: None, worker=None):
    """Execute a checked job and publish its run: the folder.

    progress : called with how many code cells are done, and of how many
    worker   : one that was started ahead
    Raises InputError, and leaves nothing behind, where the notebook itself refuses its input before it found anything;
    what it found by then is kept.
    """
    started, clock, run_id = datetime.now(UTC), time.perf_counter(), store.new_run()
    worker = worker or Worker(root, store.Staged(reports))
    staged = worker.staged
    try:
        staged.note(report=job.report.name, run=run_id)
        read = inputs.copied(job, staged.folder)
        with places.reading(read.copies):
            if any(job.stamps.get(path) != stamp for path, stamp in read.stamps.items()):
                job = parameters.prepared_anew(job, root)
            source = places.held(job.report.notebook).read_text("utf-8")
            known = {*read.stamps, *read.copies.values()}
            if new := [path.name for path in inputs.named(job) if str(path) not in known]:
                since = f"it names other files since it was checked ({', '.join(new)})"
                raise InputError(f"{job.report.name}: {since}; run it again")
            provenance = manifest.provenance(job, root, worker.snapshot) | {"environment": worker.environment}
            importlib.import_module("crmlab.reports.render")  # slow to load, and there is time while the kernel starts
            outcome = worker.execute(_described(job, root, staged.folder), job.limits.run_seconds, progress)
            executed = time.perf_counter()
            refused = staged.refuse_what_is_no_file()
            changed = [*_changed(provenance, root, read, worker.snapshot)]
            notebook = _collect(staged.folder, source)
        result = reported(notebook)
        error = outcome["error"]
        if error and error["name"] == "InputError" and not result["facts"] and not result["checks"]:
            raise InputError(*error["message"].split("\n"))
        if refused:
            result["notes"].append(f"Left out of the run, as they are no files of it: {', '.join(refused)}.")
        found = {name: result[name] for name in ("answer", "facts")}
        (staged.folder / "facts.json").write_text(json.dumps(found, indent=2) + "\n", "utf-8")
        made = Manifest(
            **provenance | {"key": "" if changed else provenance["key"]},  # what changed answers for nothing
            run=run_id,
            slot=job.slot,
            state=outcome["state"],
            started=started,
            ended=started + timedelta(seconds=time.perf_counter() - clock),
            seconds={"execute": round(executed - clock, 3)},
            exported=_exported(job, result, staged.folder),
            **{name: given for name, given in result.items() if name not in CHANGED},
            error=Error(**outcome["error"]) if outcome["error"] else None,
            changed=changed,
        )
        shutil.rmtree(staged.folder / inputs.FOLDER, ignore_errors=True)  # no data stay in a run
        page = _page(notebook, made, staged.folder, job.limits.output_bytes)
        if said := exposed.said(page, staged.folder, job.datasets.values()):
            from crmlab.reports import outputs

            made = made.model_copy(update={"notes": [*made.notes, said]})
            shutil.rmtree(staged.folder / outputs.FOLDER, ignore_errors=True)  # they are moved anew
            page = _page(notebook, made, staged.folder, job.limits.output_bytes)
        (staged.folder / "report.html").write_text(page, "utf-8")
        return staged.publish(made)
    finally:
        worker.end()
        worker.close()
        staged.discard()


def _exported(job, result, folder):
    """How the tables of a run were written."""
    there = {what: {path: n for path, n in result[what].items() if n and (folder / path).is_file()} for what in CHANGED}
    return Exported(csv=job.tables.csv, smallest_group=job.tables.smallest_group, **there)


def _described(job, root, folder):
    """A job as the worker takes it."""
    return {
        "notebook": str(places.held(job.report.notebook).relative_to(root)),
        "output": str((folder / "report.ipynb").relative_to(root)),
        "parameters": {name: job.typed[name] for name in job.given},
        "cwd": str(job.report.notebook.parent),
        "cell_seconds": job.limits.cell_seconds,
    }


def _changed(before, root, read, code):
    """What was not, at the end of a run, as it was when the run began: sentences, none where all of it was."""
    for path in read.unsettled:
        yield f"the file {Path(path).name} was being written while it was copied"
    for path in read.stamps.keys() - read.copies.keys():
        if inputs.stamp(Path(path)) != read.stamps[path]:
            what = "folder" if Path(path).is_dir() else "file"
            yield f"the {what} {Path(path).name} was written to or replaced while the run read it"
    now = manifest.environment(root)
    if before["environment"] != now:
        moved = causes.packages(before["environment"], now)
        yield f"the environment was changed: {', '.join(moved) or 'its lock, or what Python runs when it starts'}"
    if code.crmlab != BEGUN:
        yield "crmlab/ was edited after this command began: the page is written by the code from before"


def _page(notebook, made, folder, most):
    """The page of a run; without the argument where that cannot be drawn, so that hours of work are not lost."""
    from crmlab.reports import outputs, render

    try:
        shown = outputs.moved_to_files(notebook, folder, most)
        kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        return render.page(shown, made, kept)
    except Exception as fault:
        note = f"The notebook could not be drawn as a page ({type(fault).__name__}: {fault}); report.ipynb holds it."
        return render.page(nbformat.v4.new_notebook(), made.model_copy(update={"notes": [*made.notes, note]}))


@dataclass(frozen=True)
class Outcome:
    """The folder of a job's run, and whether it was there already."""

    folder: Path
    reused: bool = False


def run_all(jobs, root, reports, workers=1, force=False, started=lambda job: lambda done, cells: None):
    """Execute jobs, `workers` at a time, in workers started ahead: what became of each, in order.

    That is an Outcome, or the exception that kept it from the store: an InputError, or a fault such as a full disk.
    force   : also those that a good run answers, made from the same notebook, parameters, data, code and lock
    started : called with a job when its turn comes; gives the function that is called with its progress
    One failure stops no other.
    """
    reused = {} if force else {n: _reusable(job, root, reports) for n, job in enumerate(jobs)}
    fresh = [job for n, job in enumerate(jobs) if not reused.get(n)]
    modules = ahead.modules(job.report for job in fresh) if len(fresh) > 1 else ()
    pool = Pool(lambda: Worker(root, store.Staged(reports), modules), workers, len(fresh))

    def one(job):
        try:
            worker = pool.take(lambda worker: worker.is_of_now(root))
            return Outcome(run(job, root, reports, started(job), worker))
        except CancelledError:
            raise
        except Exception as fault:  # the others go on
            return fault

    with ThreadPoolExecutor(workers) as threads:
        try:
            made = iter(list(threads.map(one, fresh)))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            pool.cancel()
    return [Outcome(reused[n], reused=True) if reused.get(n) else next(made) for n in range(len(jobs))]


def _reusable(job, root, reports):
    key = manifest.key(job, root)
    return store.find_reusable(reports, job.report.name, key) if key else None


def _collect(folder, source):
    """The notebook as far as it came, rid of this machine's paths."""
    path = folder / "report.ipynb"
    folder.mkdir(parents=True, exist_ok=True)  # a notebook may have removed it
    try:
        notebook = nbformat.read(path, as_version=4)
    except OSError:  # it ended before its first cell
        notebook = nbformat.reads(source, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
    notebook.metadata.pop("papermill", None)
    path.with_suffix(".part").unlink(missing_ok=True)
    nbformat.write(notebook, path)
    return notebook


def reported(notebook: nbformat.NotebookNode) -> dict:
    """What a notebook reported as far as it came: title, answer, facts, checks, notes, sources, tables and figures.

    Each call of its Report left its part with the cell's output; what is given again replaces what was given before.
    """
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    whole: dict[str, Any] = {"title": "", "answer": [], "facts": {}, "checks": {}, "sources": {}}
    whole |= {name: {} for name in (*LISTED, *CHANGED)}
    for output in outputs:
        with suppress(AttributeError, KeyError, TypeError, ValueError):  # metadata of this name that are not a Report's
            if part := output.get("metadata", {}).get("crmlab"):
                whole = _with_part(whole, part)
    return whole | {name: [*whole[name].values()] for name in ("checks", "sources")} | {n: [*whole[n]] for n in LISTED}


def _with_part(whole, part):
    """What was reported with what one call left; raises where that is not what a Report leaves."""
    facts = {fact["name"]: {k: v for k, v in fact.items() if k != "name"} for fact in part.get("facts", ())}
    for fact in facts.values():
        Estimate(**fact)
    checks = {check["id"]: check for check in part.get("checks", ())}
    for check in checks.values():
        Check(check["id"], check["kind"], check["outcome"])
        str.join("", (check[text] for text in ("claim", "summary", "recommendation")))
    sources = {source["name"]: Described(**source).model_dump() for source in part.get("sources", ())}
    before = whole["facts"]
    last = "title" in part  # of the Report itself, which comes last and orders them
    facts = facts | {n: f for n, f in before.items() if n not in facts} if last else before | facts
    found = {"facts": facts, "checks": whole["checks"] | checks, "sources": whole["sources"] | sources}
    for name in LISTED:
        given = dict.fromkeys(map(str, part.get(name, ())))
        found[name] = given | whole[name] if last else whole[name] | given
    for name in CHANGED:
        stale = {f"tables/{stem}.csv" for stem in part.get("tables", ())} if not last else ()
        kept = {path: cells for path, cells in whole[name].items() if path not in stale}
        found[name] = kept | {str(path): int(cells) for path, cells in part.get(name, {}).items()}
    if last:
        found |= {"title": str(part["title"]), "answer": [*map(str, part.get("answer", ()))]}
    return whole | found
