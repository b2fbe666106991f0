"""crmlab: a notebook-based research workbench for customer relationship management.

Importing it loads nothing heavy; each part is imported by name:
`from crmlab import catalog, clv`.
"""

__version__ = "0.1.0"
