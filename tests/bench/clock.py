"""What the bench measures with."""

import math
import os
from dataclasses import dataclass

QUICK = os.environ.get("QUICK") == "1"


@dataclass(frozen=True)
class Measured:
    """A figure beside what is asked of it: at most so much, at least so much, or both."""

    what: str
    value: float
    most: float = math.inf
    how: str = ""
    least: float = -math.inf

    @property
    def asked(self):
        low, high = f"{self.least:.3g}", f"{self.most:.3g}"
        if math.isfinite(self.least) and math.isfinite(self.most):
            return f"{low} to {high}"
        return f"at least {low}" if math.isfinite(self.least) else f"at most {high}"

    @property
    def met(self):
        return bool(self.least <= self.value <= self.most)
