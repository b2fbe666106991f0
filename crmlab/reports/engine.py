"""What the child process does with its job: papermill, which reports how far it is and keeps what it has."""

import os
import re
from pathlib import Path

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill import execute_notebook
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.translators import PythonTranslator, papermill_translators

from crmlab.reports.secret import redact


class ExactTranslator(PythonTranslator):
    """Parameters as Python writes its own values: what arrives is what was given."""

    @classmethod
    def translate(cls, value):
        return repr(value)


class SavingEngine(NBClientEngine):
    """papermill's engine, which reports each code cell and keeps the notebook whole after every one."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, saved_path=None, emit=None, **options):
        numbers = {id(c): n for n, c in enumerate((c for c in nb_man.nb.cells if c.cell_type == "code"), 1)}
        emit(cells=len(numbers))
        start, complete = nb_man.cell_start, nb_man.cell_complete

        def cell_start(cell, *about, **more):
            start(cell, *about, **more)
            cls.running = numbers.get(id(cell), cls.running)

        def cell_complete(cell, *about, **more):
            complete(cell, *about, **more)
            _save(nb_man.nb, saved_path)
            if id(cell) in numbers:
                emit(done=numbers[id(cell)])

        nb_man.cell_start, nb_man.cell_complete = cell_start, cell_complete
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, **options)
        except (DeadKernelError, CellTimeoutError):
            stopped = next(c for c in nb_man.nb.cells if numbers.get(id(c)) == cls.running)
            stopped.metadata.papermill["status"] = nb_man.FAILED  # papermill has called it completed
            _save(nb_man.nb, saved_path)
            raise


def execute(job, manager, emit):
    """Execute a job in a kernel that has been started: its outcome, as `emit` takes it.

    job : notebook, output, parameters, cwd, cell_seconds, start_seconds
    """
    papermill_engines.register("saving", SavingEngine)
    papermill_translators.register("python", ExactTranslator)
    SavingEngine.running = None
    oom_before = _oom_kills()
    try:
        executed = execute_notebook(
            job["notebook"],
            None,
            job["parameters"],
            engine_name="saving",
            kernel_name="python3",
            language="python",
            cwd=job["cwd"],
            progress_bar=False,
            start_timeout=job["start_seconds"],
            timeout_func=lambda cell: job["cell_seconds"],  # `timeout` itself takes whole seconds only
            km=manager,
            saved_path=Path(job["output"]).absolute(),
            emit=emit,
        )
    except PapermillExecutionError as raised:
        return _failure(_state(raised.ename), raised.ename, raised.evalue)
    except DeadKernelError:
        if _oom_kills() > oom_before:
            return _failure("out_of_memory", "DeadKernelError", "the system was out of memory and killed the kernel")
        return _failure("killed", "DeadKernelError", "the kernel was killed")
    except CellTimeoutError:
        return _failure("timeout", "CellTimeoutError", f"the cell took longer than {job['cell_seconds']:g} s")
    left = [o for cell in executed.cells for o in cell.get("outputs", ()) if o.get("ename") == "SystemExit"]
    if left:
        return _failure("exited", "SystemExit", "the notebook left before its end")
    return {"state": "success", "error": None}


def _failure(state, name, message):
    return {"state": state, "error": {"cell": SavingEngine.running, "name": name, "message": redact(message)}}


def _state(exception):
    return {"SystemExit": "exited", "MemoryError": "out_of_memory"}.get(exception, "failed")


def _save(notebook, path):
    """Write the notebook so that a reader finds it whole, whenever this process ends."""
    beside = path.with_suffix(".part")
    nbformat.write(redact(notebook), beside)
    os.replace(beside, path)


def _oom_kills():
    """How many processes the system has killed for want of memory."""
    try:
        found = re.search(r"^oom_kill (\d+)$", Path("/proc/vmstat").read_text(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0
