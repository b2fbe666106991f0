"""Predictions set beside what was observed."""
