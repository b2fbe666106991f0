"""What differs in what two runs were made from."""

from collections.abc import Iterator

from crmlab.reports.manifest import Environment, Manifest
from crmlab.reports.templates import setting


def causes(one: Manifest, other: Manifest) -> Iterator[str]:
    """What two runs were made from that differs: sentences, a cause each, none where nothing does."""
    for name in [*one.parameters, *(name for name in other.parameters if name not in one.parameters)]:
        then, now = (run.parameters.get(name, "absent") for run in (one, other))
        if then != now:
            yield f"parameter {name}: {setting(then)}, then {setting(now)}"
    yield from _of_data(one, other)
    if one.notebook_sha256 != other.notebook_sha256:
        yield f"notebook: {other.notebook} differs"
    yield from _of_code(one, other)
    yield from _of_environment(one.environment, other.environment)
    if one.masking and one.masking != other.masking:
        yield "mask key: customer ids are masked by another key"


def packages(one: Environment, other: Environment) -> list[str]:
    """The packages that differ between two environments, with their versions."""
    then, now = one.packages, other.packages
    return [
        f"{name} {then.get(name, 'absent')}, then {now.get(name, 'absent')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


def _of_data(one, other):
    data = {source.parameter: source for source in other.data}
    for then in one.data:
        now = data.get(then.parameter)
        if now and then.sha256 is now.sha256 is None:
            yield f"data {now.name}: a table on an engine, whose content cannot be compared"
        elif now and then.sha256 != now.sha256:
            span = f", to {now.last}" if now.last != then.last else ""
            yield f"data {now.name}: {then.rows:,} rows, then {now.rows:,}{span}"
        if now and then.entry != now.entry:
            yield f"data {now.name}: its catalog entry differs"
    for name in one.files.keys() & other.files.keys():
        if one.files[name] != other.files[name]:
            yield f"file {name}: its content differs"


def _of_code(one, other):
    if one.code.sha256 != other.code.sha256:
        yield f"code: crmlab/ differs (commit {_commit(one)}, then {_commit(other)})"
    for path in sorted(one.code.modules.keys() | other.code.modules.keys()):
        if one.code.modules.get(path) != other.code.modules.get(path):
            yield f"code: {path}, beside the notebook, differs"


def _commit(run):
    return (run.code.commit or "unknown")[:12] + (" with changes" if run.code.dirty else "")


def _of_environment(then, now):
    if then.lock_sha256 != now.lock_sha256:
        yield "lock: requirements.lock differs"
    if moved := packages(then, now):
        yield f"packages: {len(moved)} differ ({', '.join(moved[:5])})"
    if then.python != now.python:
        yield f"python: {then.python}, then {now.python}"
    if then.start_files != now.start_files:
        yield "python: what it runs when it starts differs (sitecustomize.py or .pth files)"
