"""Scores from a shell, beside those of the notebook's functions."""

import pandas as pd

from crmlab import catalog, clv

from ..shell import crmlab


def test_the_shell_writes_the_scores_of_the_notebooks_functions(tmp_path):
    to = tmp_path / "scores"
    given = ["-p", "data=cdnow_sample", "-p", "model=bg_nbd", "-p", "fit_replicates=40", "-p", "horizon_days=90"]
    done = crmlab("score", "clv", "--to", to, *given, cwd=catalog.root())
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{to}: 0.1 MB in 1 files, as of 1998-06-30, by BGNBD(r=0.2536")
    customers = clv.summarise(catalog.orders("cdnow_sample"), "1998-06-30")
    model, spend = clv.fit(customers, "bg_nbd", 40), clv.fit_spend(customers, 40)
    pd.testing.assert_frame_equal(
        pd.read_parquet(to), clv.score(customers, model, spend, 90, 0.1).execute(), check_exact=True, check_dtype=False
    )


def test_what_cannot_be_scored_is_refused_at_once(tmp_path):
    (tmp_path / "there").mkdir()
    done = crmlab("score", "segments", "--to", tmp_path / "there", "-p", "data", cwd=catalog.root())
    assert done.returncode == 2
    for said in (
        "-p 'data': write it as name=value",
        "'segments' scores no customers; write clv",
        "there is something",
    ):
        assert said in done.stderr
