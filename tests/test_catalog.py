"""A name or a path becomes a checked table, or an error that says what to do; the packaged data are as published."""

import os
import re
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from crmlab import catalog
from crmlab.contracts import InputError

from .conftest import LOG, refused

HERE = Path(__file__).parents[1]
TEN = LOG + "".join(f"a,2024-01-{day:02d},1\n" for day in range(1, 11))


@pytest.fixture
def packaged(monkeypatch):
    """The catalog of this repository."""
    monkeypatch.setenv("CRMLAB_ROOT", str(HERE))


# counts of the log as published: Fader & Hardie's notes on CDNOW, and data/README of the lifetimes package
def test_cdnow_is_as_published(packaged):
    counts = catalog.check("cdnow").findings.counts
    told = ("rows", "customers", "zero_amounts", "merged_rows", "first", "last")
    assert [counts[name] for name in told] == [69_659, 23_570, 80, 2_068, date(1997, 1, 1), date(1998, 6, 30)]
    sample = catalog.check("cdnow_sample").findings.counts
    assert (sample["rows"], sample["customers"]) == (6_919, 2_357)
    assert catalog.orders("cdnow_sample").table.customer_id.min().execute() == "00004"


def test_dropping_zero_amounts_leaves_fewer_customers_of_cdnow(shop):
    entry = (HERE / "data" / "catalog.toml").read_text().split("[cdnow_sample]")[1].split("\n[")[0]
    shop.catalog(f"[cdnow_sample]{entry}\nzero = 'drop'\n")
    log = catalog.check("cdnow_sample")
    assert log.findings.counts["customers"] == log.table.customer_id.nunique().execute() == 2_349
    assert log.findings.counts["rows"] == 6_919


def test_an_unknown_name_is_told_the_known_and_the_nearest(shop):
    shop.catalog("[cdnow]\npath = 'x.csv'\n[own]\npath = 'y.csv'\n")
    assert refused("CDNOV") == ("no data 'CDNOV' in data/catalog.toml, which has cdnow, own; did you mean 'cdnow'?",)
    assert refused("zzz")[0].endswith("which has cdnow, own; name one of these, or the path of a file")
    shop.catalog("")
    assert "which has no entries" in refused("own")[0]
    assert "no data '" in refused("x" * 5_000)[0]


def test_a_path_that_does_not_exist_is_refused(shop, monkeypatch):
    monkeypatch.chdir(shop.data)
    assert refused("/nowhere/log.csv") == ("log.csv: there is no file or folder /nowhere/log.csv; correct the path",)
    assert refused("gone.csv") == (f"gone.csv: there is no file or folder {shop.data}/gone.csv; correct the path",)
    shop.catalog("[own]\npath = 'raw/log.csv'\n")
    assert refused("own")[0].endswith(f"{shop.data}/raw/log.csv; correct the path in [own] of data/catalog.toml")


def test_a_path_is_read_from_the_working_folder_and_an_entry_from_the_catalogs(shop, monkeypatch):
    shop.entry(TEN, "raw/log.csv")
    monkeypatch.chdir(shop.data / "raw")
    assert catalog.check("log").findings.name == "log"
    assert {catalog.check(p).findings.name for p in ("log.csv", "./log.csv", str(shop.data / "raw" / "log.csv"))} == {
        "log.csv"
    }
    assert catalog.check(".").findings.name == "raw"
    assert catalog.check("log.csv").findings.entry.nature == "own"


@pytest.mark.parametrize("package", ["nosuchpackage", "nosuch.package", "this"])
def test_an_entry_whose_package_is_absent_is_refused(shop, package):
    shop.catalog(f"[a]\npath = 'x.csv'\npackage = '{package}'\n")
    assert refused("a") == (f"a: the package '{package}' that ships it is not installed; install it",)


def test_every_fault_of_an_entry_is_told_at_once_where_it_is_asked_for(shop):
    shop.catalog("""
        loose = 1
        [a]
        path = "a.csv"
        zero = "maybe"
        retruns = "net"
        time_zone = "Europe/Berln"
        time_format = "%d.%Q"
        columns = { custmer_id = "x" }
        delimiter = "||"
        skip = -1
        split = "soon"
        [b]
        uri = "duckdb://x"
        [c]
        path = "c.txt"
        format = "whitespace"
        [d]
        path = "d.csv"
        header = ["x", "x"]
        [fine]
        path = "raw/log.csv"
    """)
    shop.write("raw/log.csv", LOG + "a,2024-01-01,1\n")
    assert catalog.check("fine").findings.counts["rows"] == 1
    told = [breach for name in ("loose", "a", "b", "c", "d") for breach in refused(name)]
    assert all(breach.startswith("catalog.toml: ") for breach in told)
    for part in (
        "loose = 1 stands outside an entry; begin one with a line [loose]",
        "[a] zero = 'maybe'; write 'order' or 'drop'",
        "[a] has no field 'retruns'; did you mean 'returns'?",
        "[a] time_zone = 'Europe/Berln': no such time zone; write it as 'Europe/Berlin'",
        "[a] time_format = '%d.%Q': not a strptime pattern; write one such as '%d.%m.%Y'",
        "[a] columns = {'custmer_id': 'x'}: no column 'custmer_id' in the contract",
        "; did you mean 'customer_id'?",
        "[a] delimiter = '||'; write a text of length 1 or less",
        "[a] skip = -1; write 0 or more",
        "[a] split = 'soon'; write a day, as 1997-09-30",
        "[b]: it is to be said once where the data lie; give either path, or uri with table",
        "[c]: format = 'whitespace' needs header, the names of the columns; add it",
        "[d]: header names a column more than once; rename all but one",
    ):
        assert sum(part in breach for breach in told) == 1, part
    assert len(told) == 12


def test_an_unset_variable_and_the_home_folder_are_no_data(shop, monkeypatch, tmp_path):
    for empty in ("", "  "):
        assert refused(empty)[0].startswith("the name of the data is empty, as an unset variable leaves it; ")
    monkeypatch.setenv("HOME", str(tmp_path / "home" / "me"))
    (tmp_path / "home" / "me" / "shop").mkdir(parents=True)
    for place in ("~", "~/", str(tmp_path / "home")):
        assert "is your home folder, or holds it; give the folder of the data" in refused(place)[0]
    (tmp_path / "home" / "me" / "shop" / "log.csv").write_text(LOG + "a,2024-01-01,1\n")
    assert (
        catalog.check("~/shop").findings.counts["rows"] == catalog.check("~/shop/log.csv").findings.counts["rows"] == 1
    )
    assert catalog.portable("~/shop/log.csv") == str(tmp_path / "home" / "me" / "shop" / "log.csv")


@pytest.mark.parametrize("content", [b"[a\n", b"# caf\xe9\n", b"[a]\npath = 'x'\n[a]\npath = 'y'\n"])
def test_a_catalog_that_is_no_toml_is_refused(shop, content):
    (shop.data / "catalog.toml").write_bytes(content)
    assert refused("a")[0].startswith("catalog.toml: cannot be read as TOML (")


def test_a_root_without_a_catalog_is_refused(shop, tmp_path, monkeypatch):
    (shop.data / "catalog.toml").unlink()
    assert "set CRMLAB_ROOT to a folder that holds data/catalog.toml" in refused("a")[0]
    monkeypatch.delenv("CRMLAB_ROOT")
    shop.catalog("[a]\npath = 'x.csv'\n")
    monkeypatch.chdir(shop.data)
    assert catalog.root() == tmp_path


def test_a_file_is_checked_once_until_it_changes(shop):
    path = shop.write("log.csv", TEN)
    first = catalog.check(path)
    assert catalog.check(path) is first
    shop.write("log.csv", TEN + "b,2024-02-01,1\n")
    assert catalog.check(path).findings.counts["customers"] == 2
    shop.write("log.csv", TEN + "b,soon,1\n")
    assert "'time' is not a date" in refused(path)[0]


def test_a_changed_catalog_is_read_anew(shop):
    data = shop.entry(LOG + "a,2024-01-01,0\nb,2024-01-01,1\n")
    assert catalog.check(data).findings.counts["customers"] == 2
    shop.entry(LOG + "a,2024-01-01,0\nb,2024-01-01,1\n", zero="'drop'")
    os.utime(shop.data / "catalog.toml", ns=(1, 1))
    assert catalog.check(data).findings.counts["customers"] == 1


POLICIES = [(r, z) for r in ("drop", "net") for z in ("order", "drop")]


@pytest.mark.parametrize(("returns", "zero"), POLICIES)
def test_what_validation_found_is_told_in_plain_words(shop, returns, zero):
    text = LOG + "a,2024-01-01,10\na,2024-01-02,-12\nb,2024-01-01,2.00005\nb,2024-01-01,0\nc,2024-01-01,-1\n"
    data = shop.entry(text, returns=repr(returns), zero=repr(zero), currency="'EUR'", nature="'simulated'")
    summary = catalog.check(data).summary.found
    assert not re.search("nan|none|nat|np|decimal|datetime|timestamp", " ".join(summary.drop("data")), re.IGNORECASE)
    assert summary["data"] == "log (simulated data, not real)"
    assert (summary["rows"], summary["amounts rounded to 4 decimals"]) == ("5", "1")
    assert summary["first to last order"] == "2024-01-01 to 2024-01-01"
    assert summary["customers"] == ("2" if returns == "drop" else "1")
    assert summary["spend"] == ("12.00 EUR" if returns == "drop" else "2.00 EUR")
    assert summary["zero amounts"] == ("1 (counted as orders)" if zero == "order" else "1 (dropped)")
    netted = (
        "netted (customers left without an order: 2; order days returned whole: 1; "
        "rows without an earlier order, left out: 1; beyond what was bought: 2.00 EUR)"
    )
    assert summary["returns"] == f"2 rows, 13.00 EUR: {'dropped' if returns == 'drop' else netted}"


def test_a_log_without_returns_says_so(shop):
    summary = catalog.check(shop.write("log.csv", TEN)).summary.found
    assert (summary["returns"], summary["zero amounts"], summary["spend"]) == ("0", "0 (counted as orders)", "10.00")
    assert summary["order days"] == "10 (one a customer and day; 0 rows merged into them)"


def test_days_do_not_depend_on_the_clock_of_the_machine(shop):
    text = LOG + "a,2024-01-01 23:30:00+01:00,1\nb,2024-07-01T22:30Z,1\nc,2024-03-03 00:30,1\n"
    data = shop.entry(text, time_zone="'Europe/Berlin'")
    code = f"from crmlab import catalog; print(*sorted(map(str, catalog.orders({data!r}).table.time.execute())))"
    far = os.environ | {"TZ": "Pacific/Kiritimati"}
    told = subprocess.check_output([sys.executable, "-c", code], env=far, text=True, cwd=HERE).split("\n")[0]
    assert told == "2024-01-01 23:30:00 2024-03-03 00:30:00 2024-07-02 00:30:00"
    assert told == " ".join(sorted(map(str, catalog.orders(data).table.time.execute())))


def test_a_period_is_as_given_else_the_catalogs_else_two_thirds_of_the_span(shop):
    period = catalog.orders(shop.write("log.csv", TEN)).period()
    assert (period.first, period.split, period.until) == (date(2024, 1, 1), date(2024, 1, 7), date(2024, 1, 10))
    assert period.horizon_days == 3
    assert period.summary["chosen by"].tolist() == ["the data", "two thirds of the span", "last day of the data"]
    data = shop.entry(TEN, split="2024-01-04", until="2024-01-08")
    assert catalog.orders(data).period().summary["chosen by"].tolist() == ["the data", "catalog", "catalog"]
    assert catalog.orders(data).period().summary["day"].tolist() == [
        date(2024, 1, 1),
        date(2024, 1, 4),
        date(2024, 1, 8),
    ]
    for split in ("2024-01-05", date(2024, 1, 5), datetime(2024, 1, 5, 12)):
        assert catalog.orders(data).period(split).split == date(2024, 1, 5)
    assert catalog.orders(data).period("2024-01-05").summary["chosen by"].tolist() == [
        "the data",
        "parameter",
        "catalog",
    ]


def test_a_split_of_the_catalogs_stands_only_before_the_end_that_is_asked_for(shop):
    data = shop.entry(TEN, split="2024-01-08")
    period = catalog.orders(data).period(until="2024-01-07")
    assert (period.split, period.until) == (date(2024, 1, 5), date(2024, 1, 7))  # two thirds of what is left
    assert period.summary["chosen by"].tolist() == ["the data", "two thirds of the span", "parameter"]


def test_every_fault_of_a_period_is_told_at_once(shop):
    data = shop.write("log.csv", TEN)
    span = "the data, which runs from 2024-01-01 to 2024-01-10"
    assert refused(data, split="2023-12-31", until="2024-01-11") == (
        f"log.csv: split = 2023-12-31 lies outside {span}; choose a day within",
        f"log.csv: until = 2024-01-11 lies outside {span}; choose a day within",
    )
    assert refused(data, split="soon", until="2024-13-01") == (
        "log.csv: split = 'soon' is not a day; write it as 1997-09-30",
        "log.csv: until = '2024-13-01' is not a day; write it as 1997-09-30",
    )
    (breach,) = refused(data, split="2024-01-05", until="2024-01-05")
    assert "split = 2024-01-05 must come before until = 2024-01-05; choose days within the data" in breach
    assert "is not a day" in refused(data, split="")[0]
    assert refused(data, split=20240105) == ("log.csv: split = 20240105 is not a day; write it as 1997-09-30",)
    assert refused(shop.write("one.csv", LOG + "a,2024-01-01,1\n")) == (
        "one.csv: all data are of one day, 2024-01-01, and a split needs two days at least; name data of a longer "
        "time, or a later day up to which these are complete, observed_until",
    )
    observed = catalog.orders(shop.write("one.csv", LOG + "a,2024-01-01,1\n"), "2024-01-31").period()
    assert (observed.split, observed.until) == (date(2024, 1, 21), date(2024, 1, 31))


def test_a_fingerprint_changes_with_the_content_alone(shop):
    path = shop.write("log.csv", TEN)
    before = catalog.fingerprint(path)
    os.utime(path, (1, 1))
    assert catalog.fingerprint(path) == before
    shop.write("log.csv", TEN.replace("01-10", "01-11"))
    assert catalog.fingerprint(path) != before
    # from `printf '' | sha256sum`
    assert catalog.fingerprint(shop.write("empty.csv", "")).startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_a_fingerprint_of_a_folder_knows_names_and_contents_of_its_files(shop):
    shop.write("sales/a.csv", TEN)
    shop.write("sales/b/c.csv", TEN)
    folder = str(shop.data / "sales")
    seen = [catalog.fingerprint(folder)]
    (shop.data / "sales" / "notes.md").write_text("no part of the data")
    (shop.data / "sales" / ".a.csv").write_text("nor is this")
    os.utime(shop.data / "sales" / "a.csv", (1, 1))
    assert catalog.fingerprint(folder) == seen[0]
    shop.write("sales/a.csv", TEN + "\n")
    seen.append(catalog.fingerprint(folder))
    (shop.data / "sales" / "b").rename(shop.data / "sales" / "d")
    seen.append(catalog.fingerprint(folder))
    assert len(set(seen)) == 3


def test_a_table_on_an_engine_has_no_fingerprint(shop):
    shop.catalog("[live]\nuri = 'postgres://shop'\ntable = 'sales'\n")
    assert catalog.fingerprint("live") is None


def test_a_notebook_shows_the_breaches_and_not_our_code():
    assert InputError("one; mend", "two; mend")._render_traceback_() == ["InputError:", "  one; mend", "  two; mend"]


def test_a_path_object_names_data_as_its_text_does(shop):
    path = shop.write("log.csv", TEN)
    assert catalog.orders(Path(path)) is catalog.orders(path)


def test_data_that_know_no_days_have_no_period(packaged):
    with pytest.raises(
        InputError, match="fader_hardie_2007 knows no days, so that it has no period; name data that do"
    ):
        catalog.retention("fader_hardie_2007").period()


@pytest.mark.parametrize("address", ["https://example.org/x.csv?key=secret", "s3://shop/x.parquet"])
def test_an_address_on_a_network_is_no_file(address):
    with pytest.raises(InputError, match="is an address on a network; download the file, and give its path") as wrong:
        catalog.orders(address)
    assert "secret" not in str(wrong.value)


def test_a_column_written_as_a_field_of_an_entry_is_said_to_be_one(shop):
    shop.catalog("[own]\npath = 'x.csv'\ntime = 'Ordered'\n")
    assert refused("own") == (
        "catalog.toml: [own] has no field 'time', which is a column; write columns.time = 'Ordered'",
    )


def test_money_in_a_time_names_the_currency_where_there_is_one(shop):
    named = catalog.orders(shop.entry(TEN, currency="'EUR'"))
    assert named.money_in(365) == "EUR in 365 days"
    assert named.money_in(1, "month") == "EUR in 1 month"
    assert catalog.orders(shop.entry(TEN)).money_in(1) == "in 1 day"
