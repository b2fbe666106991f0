"""crmlab from a shell, for surveys: an instrument to begin with, how many to ask, a survey to practise on."""

import math
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

from crmlab.cli import console
from crmlab.cli.console import plain
from crmlab.contracts import InputError

new = typer.Typer(help="Begin a file or an entry of your own.", no_args_is_help=True)
plan = typer.Typer(help="Say what a wanted precision takes.", no_args_is_help=True)
simulate = typer.Typer(help="Simulate data whose truth is known.", no_args_is_help=True)


@new.command("instrument")
def new_instrument(
    survey: Annotated[Path, typer.Argument(help="a survey: CSV, Parquet, Excel, Stata or SPSS")],
    out: Annotated[Optional[Path], typer.Option(help="the file to write; else SURVEY with the suffix .toml")] = None,
) -> None:
    """Write an instrument file for a survey, guessed from its columns; it says where you must decide."""
    from crmlab.service_quality import Instrument, draft_instrument

    target = out or survey.with_suffix(".toml")
    text, decisions = draft_instrument(survey)
    _write({target: text})
    console.out.print(plain(f"{target}: {_found(Instrument.model_validate(tomllib.loads(text)))}"))
    if decisions:
        lines = "1 line" if decisions == 1 else f"{decisions} lines"
        console.out.print(
            f"{lines} to decide: correct each if need be, and remove its `decide:`; until then it is refused"
        )
    console.out.print(plain(f"then: crmlab run service_quality -p survey={survey} -p instrument={target}"))


def _found(instrument):
    """What an instrument holds, in words."""
    pairs = sum({"expect", "perceive"} <= item.columns.keys() for item in instrument.items.values())
    dimensions = ", ".join(f"{name} ({len(items)})" for name, items in instrument.dimensions.items())
    counts = f"{len(instrument.items)} items, {pairs} of them pairs of expectation and perception"
    asked = ", ".join(instrument.outcomes) or "none"
    return f"{counts}; scale {instrument.scale}; dimensions: {dimensions}; outcomes: {asked}"


@plan.command("survey")
def plan_survey(
    width: Annotated[float, typer.Option(help="half-width of the interval: points of a gap, or of a share")],
    sd: Annotated[Optional[float], typer.Option(help="standard deviation of a respondent's gap")] = None,
    share: Annotated[Optional[float], typer.Option(help="or a share, about as large")] = None,
    level: Annotated[float, typer.Option(help="of the interval")] = 0.95,
    population: Annotated[Optional[int], typer.Option(help="how many there are; else very many")] = None,
    response: Annotated[float, typer.Option(help="share of invitations that are answered")] = 1.0,
) -> None:
    """How many answers, and invitations, a wanted half-width takes; where there are too few, what all of them give."""
    from crmlab.estimate import number
    from crmlab.stats.sample_size import MAX_ANSWERS, for_mean, for_share

    _plannable(width, sd, share, level, population, response)
    what, size, of = ("gap", for_mean, sd) if share is None else ("share", for_share, share)
    found = size(width, of or 0.0, level, population, response)
    among = "" if population is None else f", of {population:,} there are"
    given = f"sd {number(sd)}" if share is None else f"about {number(share)}"
    known = f"a {what} ({given}) is then known to ± {found.half_width:.4g} at {100 * level:.4g} %{among}"
    if found.reached:
        console.out.print(f"answers: {found.answers:,}")
        console.out.print(f"invitations: {found.invitations:,}, where {_percent(response)} answer")
        console.out.print(known)
        console.out.print("for each group that is reported alone; waves, segments and audiences each need as many")
        return
    if population is None:
        least = f"± {found.half_width:.4g} is the least at that"
        raise InputError(
            f"plan survey: --width {width:g} takes more than {MAX_ANSWERS:,} answers; give a wider one, {least}"
        )
    there = f"{found.answers:,} where {_percent(response)} of all {population:,} answer"
    console.out.print(f"cannot be reached: ± {width:.4g} takes more answers than there can be, {there}")
    console.out.print(f"invite all: {known}" if math.isfinite(found.half_width) else "2 or more must answer")


def _percent(share):
    return f"{100 * share:.4g} %"


def _plannable(width, sd, share, level, population, response):
    """Raises InputError with everything that is wrong in what a plan was asked."""
    wrong = []
    if (sd is None) == (share is None):
        wrong.append("give either --sd, for a gap, or --share; on scales of 5 or 7 an sd is about 1 to 2")
    for name, value in (("--width", width), ("--sd", sd)):
        if value is not None and not 0 < value < math.inf:
            wrong.append(f"{name} {value:g}: give a number above 0")
    if share is not None and width >= 1:
        wrong.append(f"--width {width:g}: a share lies between 0 and 1, so give a half-width below 1")
    for name, value in (("--share", share), ("--level", level)):
        if value is not None and not 0 < value < 1:
            wrong.append(f"{name} {value:g}: give a number between 0 and 1, as 0.95 for 95 %")
    if not 0 < response <= 1:
        wrong.append(f"--response {response:g}: give the share that answers, above 0 and at most 1")
    if population is not None and population < 2:
        wrong.append(f"--population {population:,}: give 2 or more")
    if wrong:
        raise InputError(*(f"plan survey: {line}" for line in wrong))


@simulate.command("survey")
def write_survey(
    out: Annotated[Path, typer.Option(help="the folder to write to")],
    respondents: Annotated[int, typer.Option(min=2, help="customers")] = 400,
    managers: Annotated[int, typer.Option(min=0)] = 40,
    staff: Annotated[int, typer.Option(min=0)] = 60,
    waves: Annotated[int, typer.Option(min=1)] = 1,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    predictor: Annotated[Literal["gap", "perception", "both"], typer.Option(help="what satisfaction follows")] = "both",
    straightlining: Annotated[float, typer.Option(min=0, max=1, help="share who answer without reading")] = 0.03,
    missing: Annotated[float, typer.Option(min=0, max=1, help="probability that an answer is left out")] = 0.02,
) -> None:
    """Write a simulated survey, its instrument, and the truth it was made from: survey.csv, survey.toml, truth.csv."""
    from crmlab.simulate.instrument import instrument_toml
    from crmlab.simulate.survey import World, simulate_survey

    world = World(predictor=predictor, straightlining=straightlining, missing=missing)
    table, truth = simulate_survey(world, respondents, managers, staff, waves, seed)
    written = {"survey.csv": table.to_csv(index=False), "survey.toml": instrument_toml(world)}
    written["truth.csv"] = truth.items.to_csv(index=False)
    _write({out / name: text for name, text in written.items()})
    console.out.print(plain(f"{out}: {', '.join(written)}; {len(table):,} rows, simulated, not real"))


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
