"""How much memory the embedded engine is held to, and what does not fit."""

import os
import subprocess
import sys

import ibis
import pandas as pd
import pytest

from crmlab import catalog, engines
from crmlab.contracts import InputError, Policy

LOG = "customer_id,time,amount\na,2024-01-05,10\na,2024-03-01,12.5\nb,2024-02-11,30\n"
SETTINGS = "SELECT current_setting('memory_limit'), current_setting('temp_directory')"
READ = f"""
from crmlab import catalog, engines
catalog.orders("log.csv", memory="2GB")
print(*engines.connect().raw_sql("{SETTINGS}").fetchone())
"""


@pytest.mark.parametrize(
    ("environment", "stated", "held"),
    [
        (None, [], "1.0 GiB"),  # 1.5 GB less 0.35 are 1.15e9 bytes, 1.071 x 2^30
        (None, ["1GB", "2GB"], "619.8 MiB"),  # 0.65e9 bytes, 619.9 x 2^20
        ("500MB", ["2GB"], "238.4 MiB"),  # half
        (None, ["2GB"], "1.5 GiB"),
    ],
)
def test_the_least_memory_stated_holds(monkeypatch, environment, stated, held):
    monkeypatch.setattr(engines, "stated_limits", [])
    if environment:
        monkeypatch.setenv("CRMLAB_MEMORY", environment)
    engine = engines._embedded.__wrapped__()
    monkeypatch.setattr(engines, "connect", lambda: engine)
    for memory in stated:
        engines.limit_memory(Policy(memory=memory).memory)
    assert engine.raw_sql(SETTINGS).fetchone()[0] == held


def test_the_temporary_folder_goes_with_the_process_and_the_environment_limits_data(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    process = {"cwd": tmp_path, "env": os.environ | {"CRMLAB_MEMORY": "500MB"}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", READ], **process)
    assert not done.returncode, done.stderr
    *held, folder = done.stdout.split()
    assert held == ["238.4", "MiB"]  # 0.25e9 bytes
    assert "crmlab-" in folder
    assert not os.path.exists(folder)


def test_no_size_of_memory_is_refused_wherever_it_is_stated(tmp_path, monkeypatch):
    frame = pd.DataFrame({"customer_id": ["a"], "time": ["2024-01-05"], "amount": [1.0]})
    write = "a size such as '1GB' or '800MB', 256MB or more"
    with pytest.raises(InputError) as found:
        catalog.orders(frame, memory="much")
    assert found.value.breaches == (f"the table: memory = 'much'; write {write}",)
    with pytest.raises(InputError) as found:
        catalog.orders(frame, memory="100MB")
    assert found.value.breaches == (f"the table: memory = '100MB'; write {write}",)
    monkeypatch.setenv("CRMLAB_MEMORY", "1 gigantic")
    with pytest.raises(InputError) as found:
        engines._stated_memory()
    assert found.value.breaches == (f"CRMLAB_MEMORY = '1 gigantic'; write {write}",)


def test_rows_held_are_gone_after_the_steps_that_read_them():
    table = ibis.range(10).unnest().name("i").as_table().mutate(drawn=ibis.random())
    with engines.held(table) as rows:
        first, second = rows.execute(), rows.execute()
        name = rows.get_name().split(".")[-1]
        assert is_there(name)
    pd.testing.assert_frame_equal(first, second)
    assert not is_there(name)


def is_there(name):
    return engines.connect().raw_sql(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{name}'").fetchall()


def test_batches_have_at_most_so_many_rows_and_together_are_the_table():
    table = ibis.range(10_000).unnest().name("i").as_table().order_by("i")
    found = list(engines.batches(table, 3000))
    assert max(batch.num_rows for batch in found) <= 3000
    assert [i for batch in found for i in batch.column("i").to_pylist()] == list(range(10000))
