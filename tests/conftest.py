"""What tests of the data door share: a tiny project of its own, and raw tables; and what tests of plots do."""

import re

import ibis
import pyarrow as pa
import pytest
from hypothesis import Phase, settings

from crmlab import catalog
from crmlab.contracts import ROW, InputError, Policy, validate
from crmlab.reports import skip_address_grammar

skip_address_grammar()

# unshrunk, as a failing example of many queries takes minutes to shrink
QUICK = settings(max_examples=12, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate))
LOG = "customer_id,time,amount\n"
LONG = re.compile(r"notebooks/|parity|test_new_domain|test_many_at_once|tests/cli/|tests/reports/|browser/")  # of ids


def table(**columns):
    """A raw table, its rows numbered from 1."""
    return ibis.memtable(pa.table({**columns, ROW: range(1, len(next(iter(columns.values()))) + 1)}))


def log(amount, customer_id="a", time="2024-01-01", **columns):
    """A raw log as text; one value stands for all rows."""
    columns = {"customer_id": customer_id, "time": time, "amount": amount, **columns}
    return table(**{k: pa.array([v] * len(amount) if isinstance(v, str) else v, "string") for k, v in columns.items()})


def accepted(raw, *columns, **policy):
    """The accepted rows, in the order of their number in `store_id` where they have one."""
    rows = validate(raw, "log", Policy(**policy)).table.to_pyarrow().to_pylist()
    return [tuple(line[c] for c in columns) for line in sorted(rows, key=lambda line: int(line.get("store_id", 0)))]


def breaches(raw, faults=(), **policy):
    """What the door says against a raw table."""
    with pytest.raises(InputError) as caught:
        validate(raw, "log", Policy(**policy), faults)
    return caught.value.breaches


class Shop:
    """A project folder whose catalog a test writes; `data` is where its files lie."""

    def __init__(self, root):
        self.data = root / "data"
        self.data.mkdir()
        self.catalog("")

    def catalog(self, toml):
        (self.data / "catalog.toml").write_text(toml, "utf-8")

    def write(self, name, content):
        """A file of text or bytes; its path, as one would type it."""
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def entry(self, content, name="log.csv", **fields):
        """The data set "log": a file of `content`, read with these fields of an entry, written as TOML."""
        self.write(name, content)
        self.catalog("[log]\n" + "".join(f"{k} = {v}\n" for k, v in {"path": repr(name), **fields}.items()))
        return "log"


def refused(data, **period):
    """What the door says against `data`: never a traceback, a name of our own tables, or a number of 17 digits."""
    with pytest.raises(InputError) as caught:
        catalog.orders(data).period(**period)
    assert not re.search(r"Traceback|ibis_|raw_|crmlab_|\d{17}|np\.|Timestamp\(|NaT", str(caught.value))
    unhelpful = [breach for breach in caught.value.breaches if not re.search(r"; \w", breach)]
    assert not unhelpful, "what to do is missing"
    return caught.value.breaches


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    return Shop(tmp_path)


@pytest.fixture
def figures_are_closed():
    """What tests of plots need: a backend without a screen, and no figure that another test left or leaves open."""
    import matplotlib.pyplot as plt  # slow to load, and most tests draw nothing

    plt.switch_backend("agg")
    plt.close("all")
    yield
    plt.close("all")


def pytest_collection_modifyitems(items):
    """Files whose tests take long come first, so that no worker begins one when the other has nothing left to do."""
    items.sort(key=lambda item: not LONG.search(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """With `--dist loadfile`, files that compare engines go to one worker, as Spark starts once in each."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return "parity" if "parity" in file else file

    return Files(config, log)
