"""The surface of a domain: its names, flat and lazy."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import lazy_loader

from crmlab.guard import guarded


def attach(package: str, file: str) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose public names stand in the stub beside `file`.

    A name is imported when it is first asked for; functions are `guarded`.
    """
    load, listed, names = lazy_loader.attach_stub(package, file)

    def found(name: str) -> Any:
        thing = load(name)
        if inspect.isfunction(thing):
            thing = guarded(thing)
            thing.__module__, thing.__qualname__ = package, name  # where pickle finds it
        setattr(sys.modules[package], name, thing)
        return thing

    return found, listed, names
