"""The same small log on three engines: DuckDB, PostgreSQL and Spark in local mode."""

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import ibis
import pandas as pd
import pytest

from crmlab import engines
from crmlab.contracts import Policy, validate
from crmlab.simulate.orders import simulate_orders, simulate_spend

from ..shell import missing

INSTALL = "`make spark`, and apt-get install default-jre-headless"
OTHERS = ("postgres", "spark")
BINARIES = "/usr/lib/postgresql/*/bin"  # where Debian has those of the server, by version
ROLES = {"shop": "the password of shop", "nobody": "the password of nobody"}  # that have to give a password


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


class Server:
    """A PostgreSQL server of its own, reached by a socket in its folder alone."""

    def __init__(self, binaries, folder, user):
        self.binaries, self.folder, self.user = binaries, folder, user

    @property
    def uri(self):
        return self.as_role("postgres")

    def as_role(self, role, password=None, database="postgres"):
        given = f":{password}" if password else ""
        return f"postgres://{role}{given}@/{database}?host={self.folder}"

    def run(self, program, *arguments):
        environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(
            command, user=self.user, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert done.returncode == 0, f"{program}: {done.stdout}"

    def start(self):
        options = f"-k {self.folder} -c listen_addresses='' -c fsync=off -c autovacuum=off -c max_connections=20"
        log = str(self.folder / "log")
        self.run("pg_ctl", "start", "--wait", "-D", self.data, "-l", log, "-o", options)

    def stop(self, mode="immediate"):
        self.run("pg_ctl", "stop", "--wait", "-D", self.data, "-m", mode)

    @property
    def data(self):
        return str(self.folder / "data")

    @property
    def running(self):
        return (self.folder / "data" / "postmaster.pid").exists()


@contextmanager
def postgres_server():
    """A server that is stopped, and its folder removed, at the end; tests skip where it is missing."""
    found = shutil.which("initdb", path=os.pathsep.join(map(str, [*sorted(Path("/").glob(BINARIES[1:])), os.defpath])))
    try:
        import psycopg
    except ImportError:
        psycopg = None
    if not found or psycopg is None:
        missing("postgres", "no PostgreSQL to compare with: apt-get install postgresql, pip install 'psycopg[binary]'")
    user = None
    folder = Path(tempfile.mkdtemp(prefix="postgres_"))
    if os.getuid() == 0:  # the server refuses to run as root
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in names else "nobody"
        shutil.chown(folder, user)
    server = Server(Path(found).parent, folder, user)
    try:
        server.run("initdb", "-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N")
        access = [f"local all {role} scram-sha-256" for role in ROLES] + ["local all all trust"]
        (folder / "data" / "pg_hba.conf").write_text("\n".join(access) + "\n")
        server.start()
        with psycopg.connect(server.uri, autocommit=True) as connection:
            for role, password in ROLES.items():
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}'")
        yield server
    finally:
        if server.running:
            server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server; where it is missing these tests skip, or fail if $CRMLAB_REQUIRE lists `postgres`."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres(server):
    """A connection to PostgreSQL."""
    connection = engines.connect(server.uri)
    yield connection
    connection.disconnect()


@pytest.fixture(scope="session")
def spark():
    """Spark in local mode; where it is missing these tests skip, or fail if $CRMLAB_REQUIRE lists `spark`."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        SparkSession = None
    if SparkSession is None or not shutil.which("java"):
        missing("spark", f"no Spark to compare with: {INSTALL}")
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


@pytest.fixture(scope="session", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in OTHERS])
def other(request):
    """A connection to each engine that DuckDB is compared with."""
    return request.getfixturevalue(request.param)
