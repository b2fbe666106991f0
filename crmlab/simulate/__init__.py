"""Data simulated from known parameters, to hold models to the truth."""
