"""The runner's side of a child process: started ahead, given one job, ended with all it started."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from crmlab import masks
from crmlab.contracts import InputError
from crmlab.reports import manifest, snapshot
from crmlab.reports.secret import redact

START = "import sys; sys.path.insert(0, sys.argv[1]); from crmlab.reports.execute import main; main()"
CUSTOMS = ("PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB")  # beginnings of variables that change what code does
NO_CUSTOMS = {"MATPLOTLIBRC": os.devnull, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
LONGEST_SOCKET = 90  # bytes of the path of a folder of sockets, whose own paths may have 107
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class CancelledError(Exception):
    """The run was called off."""


class Worker:
    """A child process with a kernel of its own, which executes one job.

    root    : the project
    staged  : the folder out of sight in which the run is made
    modules : what its kernel imports ahead
    code    : a Snapshot and the folder of its copy, which it runs; None takes those of now
    It runs a copy of the code, `snapshot`, as it was when the worker started.
    """

    def __init__(self, root, staged, modules=(), code=None):
        self.staged, self.kernel, self.cancelled = staged, None, False
        with snapshot.held(staged.reports):  # until it is noted that this copy is needed
            self.snapshot, place = code or snapshot.taken(root, staged.reports)
            staged.note(code=self.snapshot.sha256)
        self.environment = manifest.environment(root)
        self.sockets, self.scratch = _folder_for_sockets(), tempfile.mkdtemp(prefix="crmlab-")
        staged.note(folders=[self.sockets, self.scratch])
        try:
            self._start(root, place)
        except OSError:  # of too few resources
            self._remove_folders()
            staged.discard()
            raise
        self._send({"cwd": str(root / "notebooks"), "modules": list(modules)})

    def _start(self, root, code):
        self.child_stderr = tempfile.TemporaryFile("w+")  # noqa: SIM115, it lives as long as the worker
        places = {"CRMLAB_ROOT": root, "CRMLAB_STAGING": self.staged.folder, "IPYTHONDIR": f"{self.sockets}/ipython"}
        places |= {"TMPDIR": self.scratch}  # whatever a killed kernel leaves goes with it
        environment = _without_customs(os.environ) | ONE_THREAD | NO_CUSTOMS | {k: str(v) for k, v in places.items()}
        self.process: Any = subprocess.Popen(  # its pipes are there, whatever its type says
            [sys.executable, "-I", "-c", START, str(code), self.sockets],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.child_stderr,
            cwd=root,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def is_of_now(self, root):
        """Whether code and packages are still those that it was started with."""
        return self.snapshot == snapshot.current(root) and self.environment == manifest.environment(root)

    def execute(self, job, seconds, progress):
        """Execute a job to its end, or for so many `seconds`: its outcome.

        progress : called with how many code cells are done, and of how many
        """
        try:
            return self._executed(job, seconds, progress)
        finally:
            self.close()

    def _executed(self, job, seconds, progress):
        late = threading.Event()

        def end_late():
            late.set()
            self.end()

        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end_late)
        timer.start()
        try:
            self._send(job)
            outcome, done = self._listen(progress)
            with suppress(subprocess.TimeoutExpired):  # its exit code explains more than that of our kill
                self.process.wait(10)
        finally:
            timer.cancel()
            self.end()
        if self.cancelled:
            raise CancelledError
        if outcome:
            return outcome
        if late.is_set():
            return _failure("timeout", done + 1, "RunTimeout", f"the run took longer than {seconds:g} s")
        self.child_stderr.seek(0)
        last = self.child_stderr.read().strip().split("\n")[-1]
        state = "killed" if self.process.returncode < 0 else "failed"
        ended = redact(f"its process ended with code {self.process.returncode}: {last}")
        return _failure(state, None, "ProcessDied", ended)

    def cancel(self):
        """End it because nobody wants its outcome any more."""
        self.cancelled = True
        self.end()

    def give_up(self):
        """End it where it has had no job."""
        self.end()
        self.staged.discard()
        self.close()

    def end(self):
        """End the process, its kernel, and whatever they started."""
        for group in (self.kernel, self.process.pid):
            if group:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, signal.SIGKILL)
        self.process.wait()
        for stray in _stray_processes(f"CRMLAB_STAGING={self.staged.folder}"):  # they left the group, as daemons do
            with suppress(ProcessLookupError, PermissionError):
                os.kill(stray, signal.SIGKILL)
        self._remove_folders()

    def _remove_folders(self):
        for folder in (self.sockets, self.scratch):
            shutil.rmtree(folder, ignore_errors=True)

    def close(self):
        """Close its pipes, once nobody listens to it."""
        for pipe in (self.process.stdin, self.process.stdout, self.child_stderr):
            with suppress(OSError):  # what was to be written may have nobody to read it
                pipe.close()

    def _send(self, message):
        with suppress(BrokenPipeError):  # it died; its outcome will say so
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()

    def _listen(self, progress):
        """Pass on what the child reports: its outcome, or None where it died without one, and how many cells it did."""
        cells, done = 0, 0
        for line in self.process.stdout:
            event = json.loads(line)
            self.kernel = event.get("kernel", self.kernel)
            if "state" in event:
                return event, done
            cells, done = event.get("cells", cells), event.get("done", done)
            if cells:
                progress(done, cells)
        return None, done


def _without_customs(environment):
    """What a run sees of an environment: nothing by which a user's start-up files would change what it finds."""
    return {name: value for name, value in environment.items() if not name.startswith(CUSTOMS) and name != masks.SHOW}


def _folder_for_sockets():
    """A new folder whose path leaves room for the names of sockets, wherever temporary files are to lie."""
    for base in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        if len(os.fsencode(base)) <= LONGEST_SOCKET - len("/crmlab-12345678"):
            with suppress(OSError):
                return tempfile.mkdtemp(prefix="crmlab-", dir=base)
    raise InputError("there is no folder with a short path to keep sockets in; set TMPDIR to one, as /tmp")


def _stray_processes(mark):
    """Ids of the other processes whose environment holds `mark`, where the system lists them."""
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark.encode() in environ.read_bytes().split(b"\0") and int(environ.parent.name) != os.getpid():
                yield int(environ.parent.name)


class Pool:
    """Workers started ahead with the imports done: `size` at a time, `jobs` in all."""

    def __init__(self, start, size, jobs):
        self.start, self.left, self.lock, self.workers = start, jobs, threading.Lock(), []
        self.ready = [self._next() for _ in range(min(size, jobs))]

    def take(self, fits=lambda worker: True):
        """A worker that was started ahead, while the next one starts; a new one where that no longer fits."""
        with self.lock:
            worker = self.ready.pop(0) if self.ready else self._next()
            if not fits(worker):
                worker.give_up()
                self.left += 1
                worker = self._next()
            if self.left:
                with suppress(OSError):  # of too few resources: it is started when its turn comes
                    self.ready.append(self._next())
            return worker

    def _next(self):
        made = self.start()
        self.left -= 1
        self.workers = [worker for worker in self.workers if worker.process.returncode is None]
        self.workers.append(made)
        return made

    def cancel(self):
        """End every worker, whatever it is at."""
        with self.lock:
            self.left = 0
            for worker in self.workers:
                worker.cancel()
            for worker in self.ready:
                worker.give_up()


def _failure(state, cell, name, message):
    return {"state": state, "error": {"cell": cell, "name": name, "message": message}}
