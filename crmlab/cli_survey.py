"""crmlab from a shell, for surveys: an instrument to begin with, how many to ask, a survey to practise on."""

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from crmlab.contracts import InputError

new = typer.Typer(help="Begin a file of your own.", no_args_is_help=True)
plan = typer.Typer(help="Say what a wanted precision takes.", no_args_is_help=True)
simulate = typer.Typer(help="Simulate data whose truth is known.", no_args_is_help=True)


def add(app):
    """Give `app` the commands of this file."""
    for name, commands in (("new", new), ("plan", plan), ("simulate", simulate)):
        app.add_typer(commands, name=name)


@new.command("instrument")
def new_instrument(
    survey: Annotated[Path, typer.Argument(help="a survey: CSV, Parquet, Excel, Stata or SPSS")],
    out: Annotated[Optional[Path], typer.Option(help="the file to write; else SURVEY with the suffix .toml")] = None,
):
    """Write an instrument file for a survey, guessed from its columns; it says where you must decide."""
    from crmlab.cli import out as console
    from crmlab.cli import plain
    from crmlab.service_quality.tables import scaffold

    target = out or survey.with_suffix(".toml")
    text, decisions = scaffold(survey)
    _write({target: text})
    console.print(plain(f"{target}: {decisions} places to decide; search it for `decide:`"))


@plan.command("survey")
def plan_survey(
    width: Annotated[float, typer.Option(min=1e-6, help="half-width of the interval: points of a gap, or of a share")],
    sd: Annotated[Optional[float], typer.Option(min=1e-6, help="standard deviation of a respondent's gap")] = None,
    share: Annotated[
        Optional[float], typer.Option(min=0.001, max=0.999, help="a share instead, about as large")
    ] = None,
    level: Annotated[float, typer.Option(min=0.5, max=0.9999, help="of the interval")] = 0.95,
    population: Annotated[Optional[int], typer.Option(min=2, help="how many there are; else very many")] = None,
    response: Annotated[float, typer.Option(min=0.001, max=1, help="share of invitations that are answered")] = 1.0,
):
    """How many answers, and invitations, an interval of a wanted half-width takes: for a gap (--sd) or a --share."""
    from crmlab.cli import out as console
    from crmlab.result import number
    from crmlab.stats.sample_size import for_mean, for_share

    if (sd is None) == (share is None):
        raise InputError(
            "plan survey: give either --sd, for a gap, or --share; on scales of 5 or 7 an sd is about 1 to 2"
        )
    what, size = ("gap", for_mean) if share is None else ("share", for_share)
    found = size(width, sd if share is None else share, level, population, response)
    given = f"sd {number(sd)}" if share is None else f"about {number(share)}"
    among = "" if population is None else f", of {population:,} there are"
    console.print(f"answers: {found.answers:,}")
    console.print(f"invitations: {found.invitations:,}, where {response:.0%} answer")
    console.print(f"a {what} ({given}) is then known to ± {number(found.half_width)} at {100 * level:.4g} %{among}")
    console.print("for each group that is reported alone; waves, segments and audiences each need as many")


@simulate.command("survey")
def simulate_survey(
    out: Annotated[Path, typer.Option(help="the folder to write to")],
    respondents: Annotated[int, typer.Option(min=2, help="customers")] = 400,
    managers: Annotated[int, typer.Option(min=0)] = 40,
    staff: Annotated[int, typer.Option(min=0)] = 60,
    waves: Annotated[int, typer.Option(min=1)] = 1,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    predictor: Annotated[Literal["gap", "perception", "both"], typer.Option(help="what satisfaction follows")] = "both",
    straight: Annotated[float, typer.Option(min=0, max=1, help="share who answer without reading")] = 0.03,
    missing: Annotated[float, typer.Option(min=0, max=1, help="chance that an answer is left out")] = 0.02,
):
    """Write a simulated survey, its instrument, and the truth it was made from: survey.csv, survey.toml, truth.csv."""
    from crmlab.cli import out as console
    from crmlab.cli import plain
    from crmlab.stats.simulate_survey import World, survey
    from crmlab.stats.simulated_instrument import instrument

    world = World(predictor=predictor, straight=straight, missing=missing)
    table, truth = survey(world, respondents, managers, staff, waves, seed)
    written = {"survey.csv": table.to_csv(index=False), "survey.toml": instrument(world)}
    written["truth.csv"] = truth.items.to_csv(index=False)
    _write({out / name: text for name, text in written.items()})
    console.print(plain(f"{out}: {', '.join(written)}; {len(table):,} rows, simulated, not real"))


def _write(texts):
    """Write new files. Raises InputError where one exists, before writing any."""
    if there := [path for path in texts if path.exists()]:
        raise InputError(*(f"{path}: exists already; name another with --out, or remove it" for path in there))
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
        except OSError as problem:
            raise InputError(f"{path}: cannot be written ({problem.strerror}); name another with --out") from None
