"""One surface: what the public functions of all domains have in common, read from their signatures."""

import importlib
import inspect

import pytest

from .public import DOMAINS, PACKAGE, PUBLIC, stub_names

# a parameter of this name means one thing everywhere; a default, where it has one, is this
DEFAULTS = {"level": 0.95, "seed": 1, "ax": None}
# other names of the same things, which no public function has
SYNONYMS = {
    "confidence": "level", "alpha_level": "level", "conf": "level",
    "draws": "replicates", "n_boot": "replicates", "repeats": "replicates", "bootstraps": "replicates",
    "random_state": "seed", "rng_seed": "seed",
    "axes": "ax", "axis": "ax",
    "horizon": "horizon_days", "days": "horizon_days", "days_ahead": "horizon_days",
    "as_of": "end", "cutoff": "split", "calibration_end": "split", "holdout_end": "until",
    "summary": "customers", "transactions": "orders", "log": "orders",
}  # fmt: skip


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_is_flat_and_lists_its_names_in_its_stub(domain):
    package = PACKAGE / domain
    module = importlib.import_module(f"crmlab.{domain}")
    assert sorted(module.__all__) == sorted(stub_names(package))
    assert {"plots", "checks"} <= set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_public_name_is_that_of_a_module(domain):
    files = {path.stem for path in (PACKAGE / domain).rglob("*.py")} - {"__init__"}
    module = importlib.import_module(f"crmlab.{domain}")
    assert not files & {name for name in module.__all__ if not inspect.ismodule(getattr(module, name))}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_parameter_of_one_name_means_one_thing(name):
    parameters = inspect.signature(PUBLIC[name]).parameters
    for parameter, default in DEFAULTS.items():
        if parameter in parameters:
            assert parameters[parameter].default in (default, inspect.Parameter.empty)
    assert not {p: SYNONYMS[p] for p in parameters if p in SYNONYMS}


@pytest.mark.parametrize("name", [name for name in PUBLIC if ".plots." in name])
def test_a_plot_takes_a_frame_and_axes(name):
    parameters = list(inspect.signature(PUBLIC[name]).parameters.values())
    assert parameters[0].default is inspect.Parameter.empty
    assert parameters[-1].name == "ax" or "ax" in {p.name for p in parameters}
    assert hasattr(PUBLIC[name], "__wrapped__"), "decorate it with crmlab.style.plot"


@pytest.mark.parametrize("name", [name for name in PUBLIC if ".checks." in name])
def test_a_check_says_its_kind(name):
    assert PUBLIC[name].check_kind in ("assumption", "comparison", "finding")
