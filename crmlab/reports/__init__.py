"""A report is a notebook, its parameters and its data, executed once and kept.

suite        what to run, how long it may take, and the ranges of parameters
parameters   what a notebook takes, and whether what it was given will do
secret       what looks like a secret, and what is kept rid of the ones there are
ahead        what kernels that are started ahead import
runner       from checked jobs to published folders
worker       the runner's side of a child process, started ahead
execute      the child process: a kernel, and one job
engine       what it does with the job: papermill, keeping the notebook after every cell
manifest     the truth about a run
store        where runs are kept, and how they appear there all at once
compare      one run beside another
render       a run's notebook as a page to read
site         the index of reports and runs
progress     how far runs are, on a terminal
"""

import sys


def skip_address_grammar():
    """Keep jsonschema from spending a second on a grammar of addresses, which it needs for no notebook.

    It holds for the whole process, so only a process that is ours asks for it, before it loads a notebook.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # an import of it then fails
