"""crmlab: a notebook-based research workbench for customer relationship management.

Importing it loads nothing heavy; each part is imported by name:
`from crmlab import catalog, clv`.
"""

__version__ = "0.1.0"
PUBLIC = ("catalog", "clv", "identification", "lifecycle", "report", "segments", "service_quality", "simulate")


def __dir__():
    return PUBLIC


def load_ipython_extension(shell):
    """What `%load_ext crmlab` does: cells show first rows and cards, and `%crmlab_run` runs this notebook's report."""
    from crmlab.cli import lab

    lab.load(shell)
