"""What a survey of service quality shows: gaps, the quality of the instrument, priorities, loyalty."""
