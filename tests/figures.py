"""What tests of plots in all domains ask of an axes."""

import matplotlib.pyplot as plt
import pandas as pd


def texts(ax):
    """What is written on a plot: ticks within view, axis labels, the title, notes and the legend."""
    ax.figure.draw_without_rendering()
    (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    found = [tick for tick in ax.get_xticklabels() if left <= tick.get_position()[0] <= right]
    found += [tick for tick in ax.get_yticklabels() if bottom <= tick.get_position()[1] <= top]
    found += [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.texts, ax.xaxis.get_offset_text()]
    found += ax.get_legend().get_texts() if ax.get_legend() else []
    return [text for text in found if text.get_text().strip()]


def draws(plot, frame):
    """Whether `plot` draws `frame` on the axes it is given, labels them, and leaves the frame alone."""
    before = frame.copy(deep=True)
    figure, ax = plt.subplots()
    assert plot(frame, ax=ax) is ax
    pd.testing.assert_frame_equal(frame, before)
    assert ax.get_xlabel()
    figure.canvas.draw()
    plt.close(figure)
