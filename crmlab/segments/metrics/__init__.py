"""What segments hold."""

from crmlab.segments.metrics import sizes

__all__ = ["sizes"]
