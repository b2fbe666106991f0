"""The kernel in which a notebook runs: it reads no configuration and no start-up file of anybody."""

import sys

from ipykernel.kernelapp import IPKernelApp

LEAVING = "get_ipython().ask_exit = __import__('sys').exit"  # else exit() only asks, and the next cells run


class IsolatedKernel(IPKernelApp):
    """A kernel as IPython has it before anybody changed how it starts."""

    def load_config_file(self, *args, **kwargs):
        """Read none."""

    def _run_startup_files(self):
        """Run none."""


def main():
    """Serve the connection that the command line names."""
    ours = [f"--IPKernelApp.exec_lines={LEAVING}", "--InteractiveShell.automagic=False"]
    IsolatedKernel.launch_instance([*sys.argv[1:], *ours, "--IPKernelApp.ignore_cwd=True"])
