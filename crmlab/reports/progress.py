"""How far runs are, on a terminal; and an end in words when they are interrupted."""

from contextlib import contextmanager

from rich.markup import escape


@contextmanager
def show_progress(console):
    """On a terminal, a bar for each run at work; elsewhere nothing. Gives what the runner calls when a run starts."""
    if not console.is_terminal:
        with interruptible(console):
            yield lambda job: lambda done, cells: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
    )
    with interruptible(console), Progress(*columns, console=console, transient=True) as bar:

        def started(job):
            given = " ".join(f"{name}={value}" for name, value in job.given.items())
            task = bar.add_task(escape(f"{job.report.name} {given}".strip()), total=None)
            return lambda done, cells: bar.update(task, completed=done, total=cells, visible=done < cells)

        yield started


@contextmanager
def interruptible(console):
    """Ctrl-C ends what is running, in words."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("interrupted: what was running is ended and not kept")
        raise SystemExit(130) from None
