"""The environment as it is written down: one source, pinned with hashes, with no address in it."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FIXED = {"jupyterlab", "pandas", "statsmodels", "lifetimes", "scikit-learn", "seaborn", "papermill", "nbval"}


def bare(requirement):
    return re.match(r"[A-Za-z0-9._-]+", requirement)[0].lower()


def locked(name):
    """Package -> versions pinned, and the lines that pin none."""
    text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {line[0].partition("==")[0]: line for line in lines}


def test_environment_yml_names_the_python_and_extras_of_pyproject():
    text = (ROOT / "environment.yml").read_text("utf-8")
    extras = set(re.search(r"-e \.\[([a-z,]+)\]", text)[1].split(","))
    assert extras == set(PROJECT["optional-dependencies"]) - {"spark", "postgres"}
    assert f"- python{PROJECT['requires-python']}" in text
    others = set(re.findall(r"^\s+- ([a-z-]+)", text, re.M)) - {"conda-forge", "python", "pip"}
    assert others <= {"-e"}, "packages are listed in pyproject.toml alone"


def test_the_fixed_packages_are_all_asked_for():
    extras = [r for extra in PROJECT["optional-dependencies"].values() for r in extra]
    assert {bare(r) for r in [*PROJECT["dependencies"], *extras]} >= FIXED


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-spark.lock"])
def test_a_lock_pins_every_package_with_hashes_and_holds_no_address(lock):
    pins = locked(lock)
    assert pins
    assert "://" not in (ROOT / lock).read_text("utf-8")
    for name, line in pins.items():
        assert "==" in line[0], f"{name} is not pinned"
        assert any(word.startswith("--hash=sha256:") for word in line), f"{name} has no hash"


def test_the_lock_holds_every_dependency_and_the_build_backend():
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    wanted = [r for extra, listed in PROJECT["optional-dependencies"].items() if extra != "spark" for r in listed]
    assert {bare(r) for r in [*PROJECT["dependencies"], *wanted, *backend]} <= locked("requirements.lock").keys()
    assert {bare(r) for r in PROJECT["optional-dependencies"]["spark"]} <= locked("requirements-spark.lock").keys()


def test_make_alone_lists_its_goals():
    listed = subprocess.check_output(["make", "-C", ROOT], text=True)
    for goal in ("report", "test", "lab", "notebooks", "docs", "lock", "lint"):
        assert re.search(rf"^\s+make {goal}\s+\w", listed, re.M), goal
