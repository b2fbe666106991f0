"""What is said of input that cannot be used."""

import difflib


class InputError(ValueError):
    """What the user gave cannot be used. `breaches` lists everything found wrong, not the first."""

    def __init__(self, *breaches):
        self.breaches = tuple(breaches)
        super().__init__("\n".join(self.breaches))

    def _render_traceback_(self):
        """In a notebook: the breaches, not where in our code they were noticed."""
        return ["InputError:", *(f"  {breach}" for breach in self.breaches)]


def nearest(name, known):
    """The one of the known names that `name` is nearest to, whatever its case; None where none is like it."""
    folded = {str(other).casefold(): other for other in known}
    near = difflib.get_close_matches(str(name).casefold(), folded, n=1)
    return folded[near[0]] if near else None


def suggest(name, known, otherwise="drop it"):
    """What to do about a name that is not among the known: the nearest of them, else what is said of it here."""
    near = nearest(name, known)
    return otherwise if near is None else f"did you mean {near!r}?"


def repeated(names: list[str]) -> list[str]:
    """Names that stand more than once, whatever their case, as engines see it: sorted."""
    folded = [name.casefold() for name in names]
    return sorted({name for name in names if folded.count(name.casefold()) > 1})
