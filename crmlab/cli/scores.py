"""Scores from a shell: what is expected of each customer, as files."""

from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from crmlab.cli.console import err, out, plain
from crmlab.cli.reports import Given, pairs, root
from crmlab.contracts import InputError

SCORED = "clv"  # the report whose customers are scored


def score(
    report: Annotated[str, typer.Argument(help="clv: the report whose parameters and models are taken")],
    to: Annotated[Path, typer.Option(help="the folder to make, of Parquet files with a row a customer")],
    parameter: Given = [],  # noqa: B006, typer copies it
) -> None:
    """Write what is expected of each customer as a Parquet dataset: orders, spend and value over horizon_days.

    Parameters are those of the report, with its defaults; `crmlab list clv` shows them. The folder is there when all of
    it is written.
    """
    from crmlab.clv.models.scores import new_folder
    from crmlab.reports import parameters

    given, breaches = pairs("-p", parameter)
    if report != SCORED:
        breaches.append(f"{report!r} scores no customers; write {SCORED}")
    try:
        to = new_folder(to)
    except InputError as wrong:
        breaches += wrong.breaches
    if breaches:
        raise InputError(*breaches)
    (job,) = parameters.prepare(root(), [(SCORED, given)])
    _score(to, job.typed)


def _score(to, chosen):
    from crmlab import catalog, clv, engines

    orders = catalog.orders(chosen["data"], chosen["observed_until"], where=chosen["where"])
    period = orders.period(chosen["split"], chosen["until"], chosen["acquired_from"])
    draws, seed, horizon = chosen["fit_replicates"], chosen["seed"], chosen["horizon_days"]
    choice = clv.choose(orders, period, chosen["model"])
    with engines.held(clv.summarise(orders, period.until, period.acquired_from)) as customers:
        fitted = clv.fit(customers, choice, draws, seed, chosen["prior"])
        if not fitted:
            raise InputError(f"{chosen['data']}: no customer is scored: {fitted}")
        spend = clv.fit_spend(customers, draws, seed)
        valued = clv.spend_for_value(spend, customers, chosen["spend_correlation_limit"], draws, seed)
        rate, margin = chosen["discount_annual"], chosen["margin"]
        scored = clv.score(customers, fitted, valued or spend, horizon, rate, margin, bool(valued))
        with _progress(orders.findings.counts["customers"]) as written:
            files = clv.write_scores(scored, to, written)
    size = sum(file.stat().st_size for file in files) / 1e6
    out.print(plain(f"{to}: {size:,.1f} MB in {len(files):,} files, as of {period.until}, by {fitted!r}"))
    for line in (str(valued) if not valued else "", clv.spend_note(spend, valued)):
        if line:
            out.print(plain(line))


@contextmanager
def _progress(customers):
    """On a terminal, a bar of customers written; gives what is called with how many there are so far."""
    from rich.progress import Progress

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("customers written", total=customers)
        yield lambda count: bar.update(task, completed=count)
