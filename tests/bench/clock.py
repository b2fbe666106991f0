"""What the bench measures with."""

import os
from dataclasses import dataclass

QUICK = os.environ.get("QUICK") == "1"


@dataclass(frozen=True)
class Measured:
    """A figure beside what is asked of it: at most so much, or at least so much."""

    what: str
    value: float
    asked: float
    how: str = ""
    least: bool = False

    @property
    def met(self):
        return bool(self.value >= self.asked if self.least else self.value <= self.asked)
