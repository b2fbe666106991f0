"""Statistics that every domain shares."""
