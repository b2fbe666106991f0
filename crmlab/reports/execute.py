"""The child process of a run: it starts a kernel, waits for one job, and lets papermill execute it there.

Standard input brings two lines of JSON, {"cwd", "modules"} and the job; when it closes, the runner is gone, and so must
be all of this. Standard output brings, a line each: {"kernel": its process group}, {"ready": true}, {"cells": how many
code cells there are}, {"done": how many are}, and at the end {"state": ..., "error": null or {"cell", "name",
"message"}}. The arguments are the folder of the code that runs, and one for sockets.
"""

import json
import os
import queue
import shutil
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_core.utils import run_sync
from traitlets import Instance

from crmlab.reports import skip_address_grammar

START = "import sys; sys.path[:0] = sys.argv[1:3]; del sys.argv[1:3]; from crmlab.reports.kernel import main; main()"
START_SECONDS = 600  # a kernel may be slow to start on a busy machine; the run's own limit goes before


def main():
    """Execute one job; its outcome is the last line written."""
    skip_address_grammar()
    _keep_stdout_to_ourselves()
    lines = queue.SimpleQueue()
    kernel = Kernel(*sys.argv[1:])
    threading.Thread(target=_listen, args=(lines, kernel), daemon=True).start()
    try:
        setup = lines.get()
        kernel.start(setup["cwd"])
        emit(kernel=kernel.group)
        import crmlab.reports.engine as engine  # papermill is slow to load, and the kernel starts meanwhile

        kernel.load(setup["modules"])
        emit(ready=True)
        emit(**engine.execute(lines.get() | {"start_seconds": START_SECONDS}, kernel.manager, emit))
    except Exception as fault:
        state = "failed" if kernel.is_alive() else "killed"
        emit(state=state, error={"cell": None, "name": type(fault).__name__, "message": str(fault)})
    finally:
        kernel.end()


class Kernels(KernelSpecManager):
    """The one kernel there is, whatever others are installed."""

    spec = Instance(KernelSpec)

    def get_kernel_spec(self, kernel_name):
        """The command that starts it."""
        return self.spec


class Kernel:
    """The kernel of one run, in a process group of its own."""

    def __init__(self, code, sockets):
        # sockets in a folder of their own: ports are taken by others between the choosing and the using
        self.sockets = sockets
        place = {"transport": "ipc", "ip": f"{sockets}/k", "connection_file": f"{sockets}/kernel.json"}
        start = [sys.executable, "-I", "-c", START, code, f"{code}/notebooks", "-f", "{connection_file}"]
        ours = Kernels(spec=KernelSpec(argv=start, display_name="Python 3", language="python"))
        self.manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ours, **place)
        self.group = None
        self.starting = threading.Lock()

    def start(self, cwd):
        with self.starting:
            run_sync(self.manager.start_kernel)(cwd=cwd)
            provisioner: Any = self.manager.provisioner
            self.group = provisioner.pgid or provisioner.pid

    def load(self, modules):
        """Import modules ahead; the notebook's own names are left as they are."""
        if modules:
            run_sync(self._load)(f"[__import__('importlib').import_module(m) for m in {modules!r}] and None")

    async def _load(self, code):
        client = self.manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=START_SECONDS)
        await client._async_recv_reply(client.execute(code, silent=True, store_history=False), timeout=START_SECONDS)
        client.stop_channels()

    def is_alive(self):
        return run_sync(self.manager.is_alive)()

    def end(self):
        """End the kernel and whatever it started."""
        if self.group:
            with suppress(ProcessLookupError):
                os.killpg(self.group, signal.SIGKILL)
        shutil.rmtree(self.sockets, ignore_errors=True)


def emit(**event):
    """One line to the runner."""
    print(json.dumps(event), file=sys.__stdout__, flush=True)


def _keep_stdout_to_ourselves():
    """Let whatever a notebook or its children print to file descriptor 1 go where our complaints go."""
    sys.stdout.flush()
    sys.__stdout__ = os.fdopen(os.dup(1), "w")  # type: ignore[misc]  # what emit() writes to
    os.dup2(2, 1)


def _listen(lines, kernel):
    for line in sys.stdin:
        lines.put(json.loads(line))
    with kernel.starting:  # half started, it would be nobody's to end
        kernel.end()
        os._exit(1)


if __name__ == "__main__":
    main()
