"""Simulates example_survey.csv and example_survey.toml: run it to write both anew."""

from pathlib import Path

from crmlab.stats.simulate_survey import World, survey
from crmlab.stats.simulated_instrument import instrument

SEED = 20_240_501


def example_survey():
    """Two waves of 400 retailers, 40 managers and 60 staff of their supplier: the table as text, and the instrument."""
    table, _truth = survey(World(), customers=400, managers=40, staff=60, waves=2, seed=SEED)
    title = "Retail customers of a wholesale supplier on its service"
    return table.to_csv(index=False, lineterminator="\n"), instrument(World(), "example_survey", title)


if __name__ == "__main__":
    table, toml = example_survey()
    here = Path(__file__)
    here.with_name("example_survey.csv").write_bytes(table.encode())
    here.with_name("example_survey.toml").write_bytes(toml.encode())
