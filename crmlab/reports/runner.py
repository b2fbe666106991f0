"""One run: from checked parameters to a published folder."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime

import nbformat

from crmlab import catalog
from crmlab.contracts import InputError
from crmlab.reports import manifest, store
from crmlab.reports.manifest import Error, Manifest, Source

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(job, root, reports, progress=lambda done, cells: None):
    """Execute a checked job and publish its run: the folder.

    progress : called with how many code cells are done, and of how many
    Raises InputError, and leaves nothing behind, where the notebook itself refuses its input.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    run_id = store.new_run()
    staged = store.stage(reports, run_id)
    try:
        outcome = _execute(job, root, staged, progress)
        executed = time.perf_counter()
        if outcome["error"] and outcome["error"]["name"] == "InputError":
            raise InputError(*outcome["error"]["message"].split("\n"))
        notebook = _collect(staged, job)
        said = _result(notebook)
        (staged / "facts.json").write_text(json.dumps(said.get("facts", {}), indent=2) + "\n", "utf-8")
        made = Manifest(
            report=job.report.name,
            run=run_id,
            state=outcome["state"],
            title=said.get("title", ""),
            notebook=str(job.report.notebook.relative_to(root)),
            notebook_sha256=manifest.sha256(job.report.notebook),
            parameters_given=job.given,
            parameters=job.typed,
            data=[_source(name, job.typed[name], log) for name, log in job.logs.items()],
            code=manifest.code(root),
            environment=manifest.environment(root),
            seed=job.typed.get("seed"),
            started=started,
            ended=datetime.now(UTC),
            seconds={"execute": round(executed - clock, 3)},
            facts=said.get("facts", {}),
            verdicts=said.get("verdicts", []),
            notes=said.get("notes", []),
            error=Error(**outcome["error"]) if outcome["error"] else None,
        )
        from crmlab.reports import render

        page = render.page(notebook, made, said.get("tables", ()))
        (staged / "report.html").write_text(page, "utf-8")
        return store.publish(reports, staged, made)
    finally:
        store.discard(staged)


def _execute(job, root, staged, progress):
    """Run the child process to its end: its last word on how it went."""
    described = {
        "notebook": str(job.report.notebook.relative_to(root)),
        "output": str((staged / "report.ipynb").relative_to(root)),
        "parameters": {name: job.typed[name] for name in job.given},
        "cwd": str(job.report.notebook.parent),
    }
    environment = os.environ | ONE_THREAD | {"CRMLAB_ROOT": str(root), "CRMLAB_STAGING": str(staged)}
    with tempfile.TemporaryFile("w+") as complaints:
        child = subprocess.Popen(
            [sys.executable, "-m", "crmlab.reports.execute"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            cwd=root,
            env=environment,
            text=True,
            start_new_session=True,
        )
        try:
            child.stdin.write(json.dumps(described))
            child.stdin.close()
            import crmlab.reports.render  # noqa: F401, slow to load, and there is time while the kernel starts

            told = _listen(child, progress)
            child.wait()
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGTERM)
                child.wait()
        if told is None:
            complaints.seek(0)
            last = (complaints.read().strip().split("\n") or [""])[-1]
            message = f"the process that ran the notebook ended with code {child.returncode}: {last}"
            state = "killed" if child.returncode < 0 else "failed"
            told = {"state": state, "error": {"cell": None, "name": "ProcessDied", "message": message}}
        return told


def _listen(child, progress):
    """Pass on what the child tells; return its outcome, or None where it died without one."""
    cells, outcome = 0, None
    for line in child.stdout:
        event = json.loads(line)
        cells = event.get("cells", cells)
        if "state" in event:
            outcome = event
        else:
            progress(event.get("done", 0), cells)
    return outcome


def _collect(staged, job):
    """The notebook as far as it came, rid of this machine's paths."""
    path = staged / "report.ipynb"
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError):  # the child died before it had written one, or while it did
        notebook = nbformat.read(job.report.notebook, as_version=4)
    about = notebook.metadata.get("papermill", {})
    about["output_path"] = path.name
    nbformat.write(notebook, path)
    return notebook


def _result(notebook):
    """What the last Result shown said, at full precision; nothing where none was."""
    outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
    said = [o["metadata"]["crmlab"] for o in outputs if "crmlab" in o.get("metadata", {})]
    if not said:
        return {}
    facts = {fact["name"]: {k: v for k, v in fact.items() if k != "name"} for fact in said[-1]["facts"]}
    return said[-1] | {"facts": facts}


def _source(parameter, data, log):
    return Source(
        parameter=parameter,
        name=log.name,
        about=log.entry.about,
        nature=log.entry.nature,
        source=log.entry.source,
        sha256=catalog.fingerprint(data),
        rows=int(log.counts["rows"]),
        customers=int(log.counts["customers"]),
        first=str(log.first),
        last=str(log.last),
    )
