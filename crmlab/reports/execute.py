"""The child process of a run: papermill executes the notebook here, and each step is told on standard output.

A line is a JSON object: {"cells": how many code cells there are}, {"done": how many are}, and at the end
{"state": ..., "error": null or {"cell", "name", "message"}}.
"""

import json
import sys

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill import execute_notebook
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError


class TellingEngine(NBClientEngine):
    """papermill's own engine, telling of each code cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **options):
        code = [cell for cell in nb_man.nb.cells if cell.cell_type == "code"]
        tell(cells=len(code))
        complete, done = nb_man.cell_complete, set()

        def cell_complete(cell, **about):
            complete(cell, **about)
            if cell.cell_type == "code":
                done.add(id(cell))
                tell(done=len(done))

        nb_man.cell_complete = cell_complete
        return super().execute_managed_notebook(nb_man, kernel_name, **options)


def tell(**event):
    """One line to the runner."""
    sys.__stdout__.write(json.dumps(event) + "\n")
    sys.__stdout__.flush()


def main():
    """Execute the job that standard input describes: notebook, output, parameters, cwd."""
    job = json.load(sys.stdin)
    papermill_engines.register("telling", TellingEngine)
    try:
        notebook = execute_notebook(
            job["notebook"],
            job["output"],
            job["parameters"],
            engine_name="telling",
            kernel_name="python3",
            cwd=job["cwd"],
            progress_bar=False,
        )
        exit_cell = _left_early(notebook)
        if exit_cell:
            tell(state="exited", error={"cell": exit_cell, "name": "SystemExit", "message": "the notebook left early"})
        else:
            tell(state="success", error=None)
    except PapermillExecutionError as raised:
        state = "exited" if raised.ename == "SystemExit" else "failed"
        tell(state=state, error={"cell": raised.exec_count, "name": raised.ename, "message": raised.evalue})
    except DeadKernelError:
        tell(state="killed", error={"cell": None, "name": "DeadKernelError", "message": "the kernel died"})
    except CellTimeoutError as late:
        tell(state="timeout", error={"cell": None, "name": "CellTimeoutError", "message": str(late).split("\n")[0]})


def _left_early(notebook):
    """The code cell, by number, in which the notebook called sys.exit."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error" and output.ename == "SystemExit":
                return cell.execution_count
    return None


if __name__ == "__main__":
    main()
