"""Which cause a difference of two runs is due to: one run is repeated with one cause at a time as in the other.

Data stay in no run, so that all is repeated on those there are now, which must be those of one of the two runs. Of
code there is a copy as long as a run needs it. What several causes do together is what remains.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from crmlab import exported
from crmlab.contracts import InputError
from crmlab.reports import reread, snapshot, store
from crmlab.reports.manifest import Manifest
from crmlab.reports.runner import reported
from crmlab.reports.suite import Limits
from crmlab.reports.worker import Worker

CAUSES = ("data", "code", "parameters")
UNTAGGED = ("injected-parameters", "papermill-error-cell-tag")  # cells that papermill wrote


@dataclass(frozen=True)
class Attribution:
    """How much of the difference of each fact is due to each cause.

    effects  : fact -> cause -> how much, of the causes that differ
    remainder: fact -> what remains of its difference: what causes do together, or what cannot be repeated
    """

    effects: dict[str, dict[str, float]]
    remainder: dict[str, float]

    def in_words(self, name: str, write: Callable[[float], str] = "{:.6g}".format) -> str:
        """What the difference of a fact is made of."""
        parts = [f"{cause} {_signed(value, write)}" for cause, value in self.effects[name].items()]
        return ", ".join([*parts, f"together {_signed(self.remainder[name], write)}"])


def _signed(value, write):
    return f"{'+' if value > 0 else ''}{write(value)}"


def differing(one: Manifest, other: Manifest) -> list[str]:
    """Which of the causes that can be repeated one at a time differ between two runs."""
    data = [[(d.parameter, d.name, d.sha256, d.entry) for d in run.data] for run in (one, other)]
    code = [(run.code.sha256, run.code.modules, run.notebook_sha256) for run in (one, other)]
    differ = {
        "data": data[0] != data[1] or one.files != other.files,
        "code": code[0] != code[1],
        "parameters": one.parameters_given != other.parameters_given,
    }
    return [cause for cause in CAUSES if differ[cause]]


def attributed(
    root: Path,
    before: Path,
    after: Path,
    repeats: Callable[[str], Any] = lambda words: None,
    limits: Limits | None = None,
) -> Attribution | None:
    """What each cause makes of the difference of each fact that both runs have; None where none differs.

    before, after : folders of runs
    repeats       : called with what is repeated, before it is
    limits        : of a repetition; None takes the usual ones
    Raises InputError where nothing can be repeated, or a repetition fails.
    """
    one, other = store.read(before), store.read(after)
    causes = differing(one, other)
    if not causes:
        return None
    folders = {"then": before, "now": after}
    made = {"then": one, "now": other}
    held = _held(one, other)
    away = "now" if held == "then" else "then"
    reports, known, limits = after.parent.parent, {}, limits or Limits()
    moved = one.environment != other.environment or one.exported != other.exported

    def facts(data, code, parameters):
        """Those of a run made of these, each "then" or "now": of the runs themselves, or repeated on the data held."""
        of = {"data": data, "code": code, "parameters": parameters}
        of = {cause: when if cause in causes else data for cause, when in of.items()}
        whole = {when for cause, when in of.items() if cause in causes}
        beyond = "data" in causes and whole == {away}  # there are no data to repeat it on
        if len(whole) == 1 and (beyond or not moved):
            return _values(made[whole.pop()])
        key = tuple(of.values())
        if key not in known:
            repeats(", ".join(f"{cause} as {of[cause]}" for cause in causes))
            known[key] = _repeated(
                root, reports, folders[of["code"]], made[of["code"]], made[of["parameters"]], made[held], limits
            )
        return known[key]

    sign = 1 if away == "then" else -1
    steps = {}  # cause -> the facts with and without it as in the run whose data are gone
    if "data" in causes:
        steps["data and packages" if moved else "data"] = facts(held, away, away), facts(away, away, away)
    if "code" in causes:
        steps["code"] = facts(held, held, held), facts(held, away, held)
    if "parameters" in causes:
        steps["parameters"] = facts(held, held, held), facts(held, held, away)
    shared = [name for name, value in _values(one).items() if name in _values(other)]
    effects, remainder = {}, {}
    for name in shared:
        if all(name in part for pair in steps.values() for part in pair):
            effects[name] = {cause: sign * (pair[0][name] - pair[1][name]) for cause, pair in steps.items()}
            remainder[name] = _values(other)[name] - _values(one)[name] - sum(effects[name].values())
    return Attribution(effects, remainder)


def _values(run):
    return {name: float(fact["value"]) for name, fact in run.facts.items() if fact["value"] is not None}


def _held(one, other):
    """Whose data there are: "now" or "then". Raises InputError where they are neither's."""
    for when, run in (("now", other), ("then", one)):
        if all(reread.is_there(run, source) for source in run.data) and all(reread.is_file(run, n) for n in run.files):
            return when
    names = ", ".join(dict.fromkeys([*(d.name for run in (one, other) for d in run.data), *one.files, *other.files]))
    raise InputError(f"{names}: what is there now is what neither run read, so that nothing can be repeated")


def _sources(run):
    """The parameters of a run that name data or files."""
    return [*(source.parameter for source in run.data), *run.files]


def _write_settings(folder, *runs):
    """Let tables be written as by the run that withheld more."""
    smallest = [run.exported.smallest_group for run in runs if run.exported and run.exported.smallest_group]
    path = folder / exported.SETTINGS
    path.parent.mkdir(exist_ok=True)
    path.write_text(exported.Tables(smallest_group=max(smallest, default=None)).model_dump_json(), "utf-8")


def _repeated(root, reports, folder, code, parameters, data, limits):
    """The facts of a run with the notebook and code of one, given what another was, on the data that are there."""
    sources = {name for run in (code, parameters, data) for name in _sources(run)}
    given = {n: parameters.parameters[n] for n in parameters.parameters_given if n not in sources}
    given |= {name: data.parameters[name] for name in sources if name in data.parameters}
    kept = snapshot.kept(reports, code.code.snapshot)
    worker = Worker(root, store.Staged(reports), code=kept)
    staged = worker.staged
    try:
        _write_settings(staged.folder, parameters, data)
        source = staged.folder / "source.ipynb"
        nbformat.write(_source(folder / "report.ipynb"), source)
        job = {
            "notebook": str(source.relative_to(root)),
            "output": str((staged.folder / "report.ipynb").relative_to(root)),
            "parameters": given,
            "cwd": str((root / code.notebook).parent),
            "cell_seconds": limits.cell_seconds,
        }
        outcome = worker.execute(job, limits.run_seconds, lambda done, cells: None)
        if outcome["state"] != "success":
            error = outcome["error"] or {"name": outcome["state"], "message": ""}
            raise InputError(f"the run cannot be repeated so ({error['name']}: {error['message']})")
        found = reported(nbformat.read(staged.folder / "report.ipynb", as_version=4))["facts"]
        return {name: float(fact["value"]) for name, fact in found.items() if fact["value"] is not None}
    finally:
        worker.end()
        worker.close()
        staged.discard()


def _source(path):
    """The notebook that a run executed, without what the run added to it."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = [*_written(notebook.cells)]
    return notebook


def _written(cells: Any) -> Iterator[Any]:
    for cell in cells:
        if not {*UNTAGGED} & {*cell.metadata.get("tags", ())}:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            cell.metadata.pop("papermill", None)
            yield cell
