"""Expected beside actual, and what it amounts to."""
