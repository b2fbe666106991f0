"""What a survey of service quality says: gaps, instruments judged, priorities, loyalty."""
