"""Simulates example_survey.csv and example_survey.toml: run it to write both anew."""

from pathlib import Path

from crmlab.simulate.instrument import instrument_toml
from crmlab.simulate.survey import World, simulate_survey

SEED = 20_240_501


def example_survey():
    """Two waves of 400 retailers, 40 managers and 60 staff of their supplier: the table as text, and the instrument."""
    table, _truth = simulate_survey(World(), customers=400, managers=40, staff=60, waves=2, seed=SEED)
    title = "Retail customers of a wholesale supplier on its service"
    return table.to_csv(index=False, lineterminator="\n"), instrument_toml(World(), "example_survey", title)


if __name__ == "__main__":
    table, toml = example_survey()
    here = Path(__file__)
    here.with_name("example_survey.csv").write_bytes(table.encode())
    here.with_name("example_survey.toml").write_bytes(toml.encode())
