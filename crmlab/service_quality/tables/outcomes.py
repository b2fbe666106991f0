"""Outcomes of a survey: each of one column, or combined from several."""

from dataclasses import dataclass, replace

import pandas as pd

from crmlab.service_quality.tables.answers import Battery, read_battery


@dataclass(frozen=True)
class Outcomes:
    """Outcomes as one battery; the answers that some are combined from, by column; what was combined, in words."""

    battery: Battery
    answers: pd.DataFrame
    findings: dict


def read_outcomes(read, table, instrument):
    """The Outcomes of a table; columns that are not there are passed over.

    read : table's answers in columns (name -> column) on a scale: a Battery
    """
    parts, answers, findings = [], [table[[]]], {}
    for name, outcome in instrument.outcomes.items():
        columns = [column for column in outcome.asked if column in table.columns]
        if not columns:
            continue
        scale, what = instrument.outcome_with_codes(name), f"outcomes.{name}"
        if outcome.column:
            parts.append(read({name: outcome.column}, scale, what))
            continue
        found = read({column: column for column in columns}, scale, what)
        combined, findings[what] = _combined(found.values, outcome)
        parts.append(replace(found, values=combined.to_frame(name)))
        answers.append(found.values)
    return Outcomes(_joined(parts, table), pd.concat(answers, axis=1), findings)


def _combined(values, outcome):
    """The outcome of each row, from its columns' answers; with how many there are, in words."""
    asked = len(outcome.columns)
    needed = outcome.answered or asked
    given = values.notna().sum(axis=1)
    combined = values.agg(outcome.combine, axis=1).where(given >= needed)
    few = int(((given > 0) & (given < needed)).sum())
    noted = f"{outcome.combine} of {', '.join(outcome.columns)}, where {needed} or more of {asked} are answered: "
    noted += f"{int(combined.notna().sum()):,} rows; {few:,} with fewer answers are missing"
    return combined.astype(float), noted.replace(f"{asked} or more of {asked}", f"all {asked}")


def _joined(parts, table):
    """Batteries as one."""
    empty = read_battery(table, {}, None, "", "")
    values = pd.concat([empty.values, *(part.values for part in parts)], axis=1)
    counts = {name: sum(getattr(part, name) for part in parts) for name in ("n_worded", "n_missing", "n_cells")}
    return replace(empty, values=values, breaches=tuple(b for part in parts for b in part.breaches), **counts)
