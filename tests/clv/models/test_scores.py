"""Scores as files: what they hold, and what is there when they cannot be written, or their process is killed."""

import os
import resource
import subprocess
import sys

import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.models import scores
from crmlab.contracts import InputError

from ..worlds import log

END, HORIZON, RATE = "2024-03-01", 90, 0.1
ORDERS = [(f"c{n:03}", f"2024-01-{1 + (n + 7 * k) % 28:02}", str(5 + k)) for n in range(100) for k in range(1 + n % 4)]
KILLED = """
import os, signal, sys
from tests.clv.models import test_scores
from crmlab import clv
from crmlab.clv.models import scores
scores.BLOCK, scores.ROWS_PER_FILE = 10, 20

def kill(count):
    if count >= 50:
        os.kill(os.getpid(), signal.SIGKILL)

clv.write_scores(test_scores.scored(), sys.argv[1], kill)
"""


def scored():
    customers = clv.summarise(log(*ORDERS), END)
    return clv.score(customers, clv.BGNBD(0.243, 30.9, 0.793, 2.43), clv.GammaGamma(6.25, 3.74, 15.44), HORIZON, RATE)


def test_files_hold_what_the_functions_of_the_notebook_say_of_each_customer(tmp_path, monkeypatch):
    monkeypatch.setattr(scores, "BLOCK", 10)
    monkeypatch.setattr(scores, "ROWS_PER_FILE", 40)
    counts = []
    files = clv.write_scores(scored(), tmp_path / "scores", counts.append)
    assert [file.name for file in files] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert counts == list(range(10, 101, 10))
    found, asked = pd.read_parquet(tmp_path / "scores"), scored().execute()
    assert list(found) == list(asked)
    assert list(found.customer_id) == list(asked.customer_id)
    numbers = asked.columns.drop("customer_id")
    pd.testing.assert_frame_equal(found[numbers].astype(float), asked[numbers].astype(float), check_exact=True)
    assert os.listdir(tmp_path) == ["scores"]


def test_a_process_killed_on_the_way_leaves_nothing_that_a_reader_sees(tmp_path):
    to = tmp_path / "scores"
    done = subprocess.run([sys.executable, "-c", KILLED, str(to)], capture_output=True, text=True)
    assert done.returncode == -9, done.stderr
    left = os.listdir(tmp_path)
    assert len(left) == 2  # the hidden folder and its lock
    assert all(name.startswith(".scores.") for name in left)
    assert len(clv.write_scores(scored(), to)) == 1
    assert os.listdir(tmp_path) == ["scores"]
    assert len(pd.read_parquet(to)) == 100


def test_what_another_process_is_writing_is_left_alone(tmp_path):
    to = tmp_path / "scores"
    with scores._aside(to) as folder:
        clv.write_scores(scored(), to)
        assert folder.is_dir()
    assert os.listdir(tmp_path) == ["scores"]


def test_something_of_that_name_is_never_written_over(tmp_path):
    (tmp_path / "scores").mkdir()
    with pytest.raises(InputError, match="scores: there is something of that name; name a folder that is not there"):
        clv.write_scores(scored(), tmp_path / "scores")
    with pytest.raises(InputError, match=f"there is no folder {tmp_path}/none; make it, or name another"):
        clv.write_scores(scored(), tmp_path / "none" / "scores")


def test_a_disk_that_takes_no_more_is_an_error_of_input_and_leaves_nothing(tmp_path):
    table, limits = scored(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(InputError, match=r"scores: cannot be written \(.*File too large.*\); free some space, or"):
            clv.write_scores(table, tmp_path / "scores")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not os.listdir(tmp_path)
