"""The same small log on two engines: DuckDB and Spark in local mode."""

import os
import shutil
from datetime import datetime

import ibis
import pandas as pd
import pytest

from crmlab import engines
from crmlab.contracts import Policy, validate
from crmlab.simulate.orders import simulate_orders, simulate_spend

INSTALL = "`make spark`, and apt-get install default-jre-headless"


@pytest.fixture(scope="session")
def rows():
    """A log of 300 customers, returns included, past the door: a frame."""
    log = simulate_orders(r=0.6, alpha=20, a=0.8, b=3, customers=300, days=300, seed=3)
    log["amount"] = simulate_spend(log, p=6, q=4, gamma=60, seed=4)
    back = log[::17].assign(amount=-log.amount[::17], day=log.day[::17] + 3)
    both = pd.concat([log, back], ignore_index=True)
    both["time"] = [datetime(2024, 1, 1) + pd.Timedelta(days=int(d)) for d in both.pop("day")]
    raw = engines.connect().create_table("parity_raw", ibis.memtable(both), temp=True)
    return validate(raw, "simulated", Policy(returns="net")).table.execute()


@pytest.fixture(scope="session")
def spark():
    """Spark in local mode; where it is missing these tests skip, or fail if $CRMLAB_REQUIRE lists `spark`."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        SparkSession = None
    if SparkSession is None or not shutil.which("java"):
        stop = pytest.fail if "spark" in os.environ.get("CRMLAB_REQUIRE", "").split(",") else pytest.skip
        stop(f"no Spark to compare with: {INSTALL}")
    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        # what pays on large data and costs seconds a query on small
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield ibis.pyspark.connect(session)
    session.stop()
