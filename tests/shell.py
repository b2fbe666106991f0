"""The command line as a shell runs it: in this process, which has everything loaded, or in one of its own."""

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from unittest.mock import patch

import pytest

from crmlab.cli import console, main

WIDE = 200  # columns, so that no table is folded


def missing(tool, why):
    """Skip, or fail if $CRMLAB_REQUIRE lists the tool."""
    stop = pytest.fail if tool in os.environ.get("CRMLAB_REQUIRE", "").split(",") else pytest.skip
    stop(why)


def crmlab(*arguments, cwd, **environment):
    """What a command says, and its exit code."""
    before, out, err = os.getcwd(), StringIO(), StringIO()
    os.chdir(cwd)
    try:
        with (
            patch.object(sys, "argv", ["crmlab", *map(str, arguments)]),
            patch.dict(os.environ, environment),
            patch.object(console.out, "_width", WIDE),
            patch.object(console.err, "_width", WIDE),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            main()
        code = 0
    except SystemExit as left:
        code = left.code or 0
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def process(*arguments, cwd, **environment):
    """The same from a process of its own: what only that can show is its exit code, and what it prints by itself."""
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", *arguments]
    environment = os.environ | {"COLUMNS": str(WIDE)} | environment
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
