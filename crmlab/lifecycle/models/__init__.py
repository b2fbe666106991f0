"""What is estimated of lifetimes: survival, renewals, waits, stages, moves between them, and growth."""
