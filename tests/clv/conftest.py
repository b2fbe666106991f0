"""What tests of plots need: a backend without a screen, and closed figures after each."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest


@pytest.fixture
def figures_are_closed():
    mpl.use("agg")
    yield
    plt.close("all")
