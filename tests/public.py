"""The public surface, as the stubs of the domains list it."""

import ast
import importlib
import inspect
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "crmlab"
DOMAINS = tuple(sorted(stub.parent.name for stub in PACKAGE.glob("*/__init__.pyi")))
PARTS = ("", ".plots", ".checks")


def stub_names(package):
    """The names that a stub lists: what `from .x import y` brings."""
    tree = ast.parse(package.joinpath("__init__.pyi").read_text("utf-8"))
    return [a.asname or a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names]


def public():
    """Every public function, and every public method of a class, by its full name."""
    for domain in DOMAINS:
        for part in PARTS:
            module = importlib.import_module(f"crmlab.{domain}{part}")
            for name in sorted(module.__all__):
                thing = getattr(module, name)
                if inspect.isclass(thing):
                    for method, function in vars(thing).items():
                        function = getattr(function, "__func__", function)
                        if not method.startswith("_") and inspect.isfunction(function):
                            yield f"{domain}{part}.{name}.{method}", function
                elif inspect.isfunction(thing):
                    yield f"{domain}{part}.{name}", thing


PUBLIC = dict(public())
