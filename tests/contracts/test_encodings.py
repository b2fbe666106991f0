"""Encodings: as stated, by a mark, or found where all that are left read what is used alike."""

import codecs
import io
from contextlib import contextmanager

import pytest

from crmlab import catalog
from crmlab.contracts import InputError, encodings, textfiles

from ..conftest import LOG, refused

ALIKE = "found: all candidates read the columns used alike"


def found(content, stated=None, **layout):
    """The encoding that is found of the bytes of a file, with the reason."""

    @contextmanager
    def stream():
        yield io.BytesIO(content)

    return encodings.find(stream, stated, "here", "f.csv", textfiles.Layout(**layout))


def not_certain(content, **layout):
    with pytest.raises(InputError, match=r"f\.csv: its encoding is not certain: ") as caught:
        found(content, **layout)
    return str(caught.value).split("certain: ")[1]


def places(*names):
    return "id,place\n" + "".join(f"{i},{name}\n" for i, name in enumerate(names, 1))


@pytest.mark.parametrize(
    "name", ["Café", "Zoë", "Köln", "MÜLLER", "Größe für die", "Straße", "Sofía", "Nord’s Café – 5 €"]
)
def test_western_text_that_all_candidates_left_read_alike_is_read(name):
    assert found(places(name).encode("cp1252")) == ("cp1252", f"cp1252, {ALIKE}")


@pytest.mark.parametrize(
    ("names", "encoding"),
    [(["Łódź", "Kraków"], "cp1250"), (["Αθήνα", "Θεσσαλονίκη"], "cp1253"), (["تهران", "القاهرة"], "cp1256")],
)
def test_an_encoding_is_found_where_all_others_are_ruled_out(names, encoding):
    reason = f"{encoding}, found: all other candidates are ruled out"
    assert found(places(*names).encode(encoding)) == (encoding, reason)


@pytest.mark.parametrize(
    ("name", "encoding", "reads"),
    [
        ("서울", "cp949", "'cp949' reads '서울'"),
        ("北京", "gb18030", "'gb18030' reads '北京'"),
        ("東京", "shift_jis", "'shift_jis' reads '東京'"),
        ("España", "cp1252", "'cp1250' reads 'Espańa'"),
        ("Москва", "cp1251", "cp1251"),
        ("Kadıköy", "cp1254", "'cp1252' reads 'Kadýköy', 'cp1254' reads 'Kadıköy'"),
        ("Köln", "cp850", "'mac_roman' reads 'Kîln'"),
        ("été", "cp437", "'cp437' reads 'été'"),
    ],
)
def test_text_that_reads_in_several_ways_is_refused_with_a_cell_that_differs(name, encoding, reads):
    message = not_certain(places(name).encode(encoding))
    assert reads in message
    assert "; state the right one here, such as encoding = " in message


def test_three_readings_are_shown_and_the_others_named():
    message = not_certain(places("москва", "казань").encode("cp1251"))
    assert message.count(" reads ") == 3
    assert "(others: euc_jp, cp1251, koi8-r, cp1253)" in message


def test_names_that_should_be_there_rule_out_what_does_not_read_them():
    content = places("서울", "부산").encode("cp949")
    assert found(content, names=["부산"])[0] == "cp949"
    content = "번호,점수\n1,서울\n".encode("cp949")
    assert found(content, names=["번호"])[0] == "cp949"
    assert "cp949" in not_certain(content, names=["no such name"])


def test_columns_that_are_not_used_do_not_matter():
    content = "id,place\n1,서울\n".encode("cp949")
    assert found(content, used=lambda names: [0])[1].endswith(ALIKE)
    assert "서울" in not_certain(content, used=lambda names: [1])


def test_a_few_words_of_two_alphabets_do_not_rule_out_an_encoding():
    names = ["Москва", "Казань", "Омск", "Тула", "Сочи", "Уфа", "Пермь", "Тверь", "Псков", "Анапа", "Орёл", "Чита"]
    assert found(places(*names, "Cочи").encode("cp1251"))[0] == "cp1251"  # its C is Latin
    with pytest.raises(InputError, match="no encoding is found that reads it"):
        found(places("Москва", "Cочи").encode("cp1251"))


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16, by its byte order mark"),
        ("utf-32", "utf-32, by its byte order mark"),
        ("utf-16-le", "utf-16-le, found: by its zero bytes"),
        ("utf-16-be", "utf-16-be, found: by its zero bytes"),
        ("utf-32-le", "utf-32-le, found: by its zero bytes"),
        ("utf-32-be", "utf-32-be, found: by its zero bytes"),
    ],
)
def test_unicode_is_read_with_or_without_its_mark(shop, encoding, reason):
    log = catalog.orders(shop.write("log.csv", (LOG + "Zoë 北,2024-01-01,1\n").encode(encoding)))
    assert log.table.customer_id.execute().tolist() == ["Zoë 北"]
    if reason == "utf-8":
        assert log.summary.found["file"] == "CSV in utf-8, delimiter ','"
    else:
        assert (log.summary.found["file"], log.summary.found["encoding"]) == ("CSV, delimiter ','", reason)


def test_windows_1252_is_read_where_only_plain_columns_are_used(shop):
    text = "customer_id,time,amount,note\n007,2024-01-01,1.5,“5 € – d’or”\n"
    log = catalog.orders(shop.write("log.csv", text.encode("cp1252")))
    assert log.table.customer_id.execute().tolist() == ["007"]
    assert log.summary.found["encoding"] == f"cp1252, {ALIKE}"


def test_all_columns_are_used_where_a_contract_keeps_the_others(shop):
    path = shop.write("who.csv", "customer_id,city\n1,서울\n".encode("cp949"))
    with pytest.raises(InputError, match=r"is not certain: .*'cp949' reads '서울'"):
        catalog.customers(path)
    assert catalog.customers(path, encoding="cp949").table.city.execute().tolist() == ["서울"]
    assert catalog.customers(path, encoding="cp949").summary.found["encoding"] == "cp949, as stated"


def test_columns_of_the_entry_settle_an_encoding(shop):
    text = "고객;time;amount\n서울;2024-01-01;1\n".encode("cp949")
    fields = {"columns": "{ customer_id = '고객' }"}
    log = catalog.orders(shop.entry(text, **fields))
    assert log.table.customer_id.execute().tolist() == ["서울"]


@pytest.mark.parametrize("stated", ["cp949", "CP949", "ks_c-5601", "ms949"])
def test_every_codec_of_python_may_be_stated(shop, stated):
    data = shop.entry((LOG + "서울,2024-01-01,1\n").encode("cp949"), encoding=repr(stated))
    assert catalog.orders(data).table.customer_id.execute().tolist() == ["서울"]


@pytest.mark.parametrize(("stated", "near"), [("utf-9", "utf-8"), ("shiftjs", "shiftjis"), ("base64", "utf-8")])
def test_a_codec_that_is_not_there_is_refused_with_the_nearest(shop, stated, near):
    (breach,) = refused(shop.entry(LOG, encoding=repr(stated)))
    assert f"encoding = '{stated}': there is no such encoding of text; write it as '{near}'" in breach


def test_a_stated_encoding_that_does_not_fit_names_the_lines(shop):
    text = LOG + "a,2024-01-01,1\nZoë,2024-01-01,1\n" + "é,2024-01-01,1\n" * 6
    (breach,) = refused(shop.entry(text.encode("latin-1"), encoding="'cp949'"))
    first = "; ".join(f"line {n}" for n in range(3, 8))
    assert breach.startswith(f"log.csv: text is not cp949 in 7 lines (first: {first}); ")


def test_a_damaged_file_with_a_mark_is_refused(shop):
    content = codecs.BOM_UTF8 + (LOG + "Zoë,2024-01-01,1\n").encode("latin-1")
    assert "text is not utf-8 in 1 line (first: line 2)" in refused(shop.write("log.csv", content))[0]


def test_zero_bytes_in_text_are_refused(shop):
    text = LOG + "a,2024-01-01,1\nb\0c,2024-01-01,1\n"
    for content in (text.encode(), text.replace("a", "é").encode("latin-1"), text.encode("utf-16")):
        (breach,) = refused(shop.write("log.csv", content))
        assert breach.startswith("log.csv: zero bytes (NUL) stand in 1 line (first: line 3); it may be damaged")


def test_signs_across_blocks_are_read_whole(monkeypatch):
    monkeypatch.setattr(encodings, "BLOCK", 7)
    content = places(*["北京", "Zoë"] * 20)
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert found(content.encode(encoding))[0] == encoding
    assert found(places(*["Zoë"] * 9).encode("cp1252"))[0] == "cp1252"
    assert "서울" in not_certain(places(*["서울"] * 9).encode("cp949"))
    with pytest.raises(InputError, match=r"text is not utf-8 in 2 lines \(first: line 3; line 5\)"):
        found(b"a,b\r\n1,2\r\n\xff,2\r\n1,2\r\n\xff\xff,2\r\n", "utf-8")
