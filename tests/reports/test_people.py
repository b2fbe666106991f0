"""Customers' ids: who may read them, how they are taken out, and secrets that reach nothing."""

import base64
import html
import json
import shutil
import stat
from urllib.parse import quote

import pytest

from crmlab.contracts import InputError
from crmlab.masks import mask
from crmlab.reports import exposed, forget, integrity, ledger, parameters, review, runner, secret, store

from .conftest import PARAMETERS, RESULT, write_notebook
from .test_store import manifest


def publish(reports, rows, page="<p>x</p><!-- approvals --><!-- /approvals -->"):
    staged = store.Staged(reports)
    (staged.folder / "tables" / "private").mkdir(mode=0o755)
    (staged.folder / "tables" / "private" / "value.csv").write_text("customer_id,note\n" + rows, newline="")
    (staged.folder / "tables" / "days.csv").write_text("a\nc-0001234\n")
    (staged.folder / "report.html").write_text(page)
    return staged.publish(manifest(store.new_run()))


def test_private_tables_are_their_owners_alone(project):
    (job,) = parameters.prepare(project, [("small", {})])
    folder = runner.run(job, project, project / "reports")
    modes = {
        p.name: stat.S_IMODE(p.stat().st_mode) for p in [*folder.glob("tables/private/*"), folder / "tables/private"]
    }
    assert modes == {"days.csv": 0o600, "rows.csv": 0o600, "private": 0o700}


def test_a_customer_is_forgotten_in_the_private_tables_of_all_runs_and_the_rest_stands_byte_for_byte(tmp_path):
    rows = 'c-0001234,"a ""quoted""\nnote"\r\nother,"x"\nc-00012345,y\nc-0001234,z'
    held, free = publish(tmp_path, rows), publish(tmp_path, "other,c-0001234\n")
    review.decide(tmp_path, held, "approved", "Ann")
    found = forget.forget(tmp_path, "c-0001234")
    assert found[held] == (["tables/private/value.csv"], ["tables/days.csv"])
    assert found[free] == ([], ["tables/days.csv", "tables/private/value.csv"])
    table = held / "tables" / "private" / "value.csv"
    assert table.read_bytes() == b'customer_id,note\nother,"x"\nc-00012345,y\n'
    assert stat.S_IMODE(table.stat().st_mode) == 0o600
    book = ledger.read(tmp_path)
    assert integrity.standing(held, book, whole=False).is_intact
    assert integrity.standing(held, book, whole=True).is_intact
    assert book.approved(held.name)
    assert "c-0001234" not in (tmp_path / ledger.FILE).read_text()
    assert [event.event for event in book.events] == ["run", "run", "approved", "forgotten"]
    assert forget.holding(tmp_path, "c-0001234")[held] == ([], ["tables/days.csv"])


def test_an_id_that_tables_write_with_an_apostrophe_is_found(tmp_path):
    folder = publish(tmp_path, "'=1+1,x\nother,y\n")
    assert forget.forget(tmp_path, "=1+1") == {folder: (["tables/private/value.csv"], [])}
    assert (folder / "tables" / "private" / "value.csv").read_text() == "customer_id,note\nother,y\n"


def test_nobody_is_forgotten_by_an_empty_id(tmp_path):
    with pytest.raises(InputError, match="the customer's id is empty"):
        forget.forget(tmp_path, " ")


def test_an_empty_mask_key_is_refused(monkeypatch):
    monkeypatch.setenv("CRMLAB_MASK_KEY", "")
    with pytest.raises(InputError, match="CRMLAB_MASK_KEY is empty"):
        mask("1")


@pytest.mark.parametrize(("key", "private"), [(None, False), ("a key of mine", True)])
def test_the_manifest_says_whether_masks_have_a_key_of_ones_own(project, monkeypatch, key, private):
    if key:
        monkeypatch.setenv("CRMLAB_MASK_KEY", key)
    (job,) = parameters.prepare(project, [("small", {})])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).masking.private == private
    said = "the key that everybody knows" if not private else "a key of one's own"
    assert said in (folder / "report.html").read_text().replace("&#39;", "'")
    assert not key or key not in (folder / "manifest.json").read_text()


SECRET = "hunter2&co/ü"


@pytest.mark.parametrize("name", ["SHOP_PASSWORD", "STRIPE_KEY", "PG_DSN", "DSN", "CRMLAB_MASK_KEY", "MY_DATABASE_URL"])
def test_variables_that_hold_secrets_are_known_by_their_names(monkeypatch, name):
    monkeypatch.setenv(name, SECRET)
    assert secret.redact(f"x{SECRET}y") == "x[secret]y"


@pytest.mark.parametrize("name", ["KEYBOARD", "MONKEY", "HOME", "PATH"])
def test_other_variables_are_no_secrets(monkeypatch, name):
    monkeypatch.setenv(name, SECRET)
    assert secret.redact(SECRET) == SECRET


@pytest.mark.parametrize(
    "written",
    [
        quote(SECRET),
        quote(SECRET, safe=""),
        repr(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"user:" + SECRET.encode()).decode(),
        base64.b64encode(b"x" + SECRET.encode() + b"yz").decode(),
        base64.b64encode(b"xy" + SECRET.encode() + b"z").decode(),
        "hunter2&amp;co/ü",
    ],
)
def test_a_secret_is_blotted_however_it_is_written(monkeypatch, written):
    monkeypatch.setenv("SHOP_PASSWORD", SECRET)
    found = secret.redact({"a": [f"before {written} after"]})["a"][0]
    assert found.startswith("before ")
    assert found.endswith(" after")
    assert "[secret]" in found
    assert written[6:-6] not in found


def test_the_password_of_an_address_is_blotted_by_itself_too(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://ann:s3cr%40t!x@host/db")
    assert secret.redact("password s3cr@t!x failed for postgres://ann:s3cr%40t!x@host/db") == (
        "password [secret] failed for [secret]"
    )


IDS = "customer_id,n\n00042,1\nann@x.com,2\n7,3\n1234567,4\nJo Ann,5\n'=1+1,6\n<b>,7\n"


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ("<td>00042</td>", ["00042"]),
        ("<td>100042</td>, 00042x, c-00042", []),
        ("<p>Mail to ann@x.com.</p>", ["ann@x.com"]),
        ('<img alt="spend of ann@x.com">', ["ann@x.com"]),
        ("<td>7</td>", []),
        ("<td>1234567</td><td>1,234,567</td>", ["1234567"]),
        ("<p>by Jo Ann</p>", ["Jo Ann"]),
        ("<p>=1+1</p>", ["=1+1"]),
        ("<p>&lt;b&gt; <b>x</b></p>", ["<b>"]),
        ('<img src="data:image/png;base64,00042">', []),
        ("<td>c-9b40012c</td>", []),
    ],
)
def test_ids_that_a_page_shows_are_found(tmp_path, page, found):
    (tmp_path / "tables" / "private").mkdir(parents=True)
    (tmp_path / "tables" / "private" / "value.csv").write_text(IDS)
    assert [each for each in exposed.named(page, tmp_path) if each != "<b>" or "&lt;" in page] == found


def test_a_run_whose_page_shows_ids_says_so_and_names_none(project):
    prints = "print(list(rows.customer_id.execute().unique()))\nreport"
    write_notebook(project / "notebooks" / "02_odd.ipynb", RESULT.strip().replace("{customer}", "all"), prints)
    (job,) = parameters.prepare(project, [("odd", {})])
    folder = runner.run(job, project, project / "reports")
    said = store.read(folder).notes[-1]
    assert said.startswith("The page shows 3 customer ids unmasked (masked: c-")
    assert "00123" not in said
    assert said in (folder / "report.html").read_text()


def test_a_run_whose_page_shows_none_says_nothing(project):
    nobody = PARAMETERS.replace('"00123"', '"nobody"')
    write_notebook(project / "notebooks" / "02_odd.ipynb", RESULT.strip(), parameters=nobody)
    (job,) = parameters.prepare(project, [("odd", {})])
    folder = runner.run(job, project, project / "reports")
    assert not any("unmasked" in note for note in store.read(folder).notes)


@pytest.mark.parametrize("edited", ["report.html", "tables/private/value.csv"])
def test_forgetting_makes_no_tampered_run_intact(tmp_path, edited):
    folder = publish(tmp_path, "c-0001234,x\nother,y\n")
    (folder / edited).write_text((folder / edited).read_text() + "forged,z\n")
    forget.forget(tmp_path, "c-0001234")
    assert "c-0001234" not in (folder / "tables" / "private" / "value.csv").read_text()
    for whole in (True, False):
        assert integrity.standing(folder, ledger.read(tmp_path), whole).state == "tampered"


def test_a_row_ends_where_csv_has_it_end(tmp_path):
    folder = publish(tmp_path, "gone,Ann\u2028Lee\x0b\nother,y\x85z\n")
    forget.forget(tmp_path, "gone")
    assert (folder / "tables" / "private" / "value.csv").read_text() == "customer_id,note\nother,y\x85z\n"


def test_outputs_that_were_moved_to_files_are_moved_once_though_the_page_is_made_twice(project):
    prints = "print('x' * 2_000_000, list(rows.customer_id.execute()))\nreport"
    shows = "list(rows.customer_id.execute())\n"
    write_notebook(project / "notebooks" / "02_odd.ipynb", RESULT.strip(), prints, shows)
    (job,) = parameters.prepare(project, [("odd", {})])
    folder = runner.run(job, project, project / "reports")
    (moved,) = (folder / "outputs").iterdir()
    assert moved.stat().st_size < 2_100_000


def test_a_page_that_cannot_be_searched_for_ids_costs_no_run(project):
    makes = "import os\nos.makedirs(os.environ['CRMLAB_STAGING'] + '/tables/private/x.csv')\nreport"
    write_notebook(project / "notebooks" / "02_odd.ipynb", RESULT.strip(), makes)
    (job,) = parameters.prepare(project, [("odd", {})])
    assert store.read(runner.run(job, project, project / "reports")).state == "success"


@pytest.mark.parametrize("name", ["facts.json", "report.html", "notes.md"])
def test_an_id_is_found_as_json_html_and_addresses_write_it(tmp_path, name):
    customer = "Müller-77&Co"
    forms = {"facts.json": json.dumps({"a": customer}), "report.html": f"<p>{html.escape(customer)}</p>"}
    folder = publish(tmp_path, "other,x\n")
    (folder / name).write_text(forms.get(name, f"[x](/{quote(customer)})"))
    assert forget.holding(tmp_path, customer) == {folder: ([], [name])}


def test_a_run_that_was_pruned_meanwhile_is_passed_over(tmp_path, monkeypatch):
    gone, kept = publish(tmp_path, "c-0001234,x\n"), publish(tmp_path, "c-0001234,y\n")
    found = forget.holding(tmp_path, "c-0001234")
    shutil.rmtree(gone)
    monkeypatch.setattr(forget, "holding", lambda reports, customer: found)
    forget.forget(tmp_path, "c-0001234")
    assert (kept / "tables" / "private" / "value.csv").read_text() == "customer_id,note\n"
    assert not [*tmp_path.rglob("*.waiting")]


def test_who_is_forgotten_leaves_the_sums_too_and_the_page_says_so(tmp_path):
    staged = store.Staged(tmp_path)
    private = staged.folder / "tables" / "private"
    private.mkdir()
    (private / "value.csv").write_text("customer_id\nc-0001234\n")
    (private / "replicates.csv").write_text("equity\n1.5\n")
    (staged.folder / "report.html").write_text("<p>x</p><!-- approvals --><!-- /approvals -->")
    folder = staged.publish(manifest(store.new_run()))
    review.decide(tmp_path, folder, "approved", "Ann")
    forget.forget(tmp_path, "c-0001234")
    assert (folder / "tables" / "private" / "replicates.csv").read_text() == ""
    page = (folder / "report.html").read_text()
    assert "Somebody was taken out of the private tables at their request" in page
    assert "<strong>Approved</strong> by Ann" in page
    assert integrity.standing(folder, ledger.read(tmp_path), whole=True).is_intact
    assert ledger.read(tmp_path).approved(folder.name)


def test_an_id_of_the_data_that_a_notebook_prints_is_found_without_a_private_table(project):
    data = project / "data" / "sales.csv"
    data.write_text(data.read_text().replace("00042", "anna.smith@example.com"))
    prints = "print(catalog.orders(data).table.customer_id.max().execute())\n" + RESULT.replace("private/rows", "days2")
    write_notebook(project / "notebooks" / "01_small.ipynb", prints.split("report.show")[0] + "report")
    (job,) = parameters.prepare(project, [("small", {})])
    run = store.read(runner.run(job, project, project / "reports"))
    assert any("The page shows 2 customer ids unmasked" in note for note in run.notes), run.notes  # and of the title
