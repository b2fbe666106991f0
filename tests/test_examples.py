"""The examples of docstrings, run."""

import doctest
import importlib

import pytest

from .public import DOMAINS, PACKAGE

WITH_EXAMPLES = [path for path in sorted(PACKAGE.rglob("*.py")) if ">>>" in path.read_text("utf-8")]
FIRST = {  # what a researcher meets first
    "clv": {"summarise", "fit", "fit_spend", "forecast_orders", "backtest"},
    "lifecycle": {"cohort_triangle", "customer_stages", "durations", "survival_curve", "fit_growth_curves"},
    "segments": {"customer_features", "define_schemes", "fit_schemes", "assign_schemes", "compare_schemes"},
    "service_quality": {"read_survey", "scale_reliability", "gap_scores", "key_drivers", "improvement_priorities"},
}


def module_of(path):
    """The module in a file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_examples_give_what_they_say(path):
    found = doctest.testmod(module_of(path))
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_a_researcher_meets_first_has_an_example(domain):
    found = set()
    for path in WITH_EXAMPLES:
        if domain in path.parts:
            found |= {test.name for test in doctest.DocTestFinder().find(module_of(path)) if test.examples}
    assert FIRST[domain] <= {name.rpartition(".")[2] for name in found}
