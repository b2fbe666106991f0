"""Outputs too large for a page lie in files beside it."""

import base64
import copy

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_notebook, new_output

from crmlab.reports import outputs, render

from . import samples

PNG = base64.b64encode(b"\x89PNG" + bytes(3000)).decode()


def stream(text):
    return new_output("stream", name="stdout", text=text)


def html(text):
    return new_output("display_data", {"text/html": text, "text/plain": "x"})


def page(notebook):
    return BeautifulSoup(render.page(notebook, samples.manifest()), "html.parser")


def test_small_outputs_stay(tmp_path):
    notebook = new_notebook(cells=[samples.code("x", stream("a" * 1000))])
    assert outputs.moved_to_files(notebook, tmp_path, 1000) is notebook
    assert not list(tmp_path.iterdir())


def test_what_is_past_the_limit_of_a_cell_goes_to_files_whole(tmp_path):
    texts = ["b" * 3000 + "\n", "c" * 3000]
    parts = [stream("a" * 600), *map(stream, texts), html("<p>" + "d" * 2000 + "</p>"),
             new_output("display_data", {"image/png": PNG})]  # fmt: skip
    notebook = new_notebook(cells=[samples.code("x", *parts), samples.code("y", stream("e" * 900))])
    before = copy.deepcopy(notebook)
    moved = outputs.moved_to_files(notebook, tmp_path, 1000)
    assert notebook == before
    assert {path.name: path.read_bytes() for path in (tmp_path / "outputs").iterdir()} == {
        "cell-1.txt": "".join(texts).encode(),
        "cell-1-1.html.txt": b"<p>" + b"d" * 2000 + b"</p>",
        "cell-1-1.png": base64.b64decode(PNG),
    }
    soup = page(moved)
    links = [link["href"] for link in soup.select("article .quiet a")]
    assert links == ["outputs/cell-1.txt", "outputs/cell-1.txt", "outputs/cell-1-1.html.txt", "outputs/cell-1-1.png"]
    assert "kept as a file" in soup.select("article .quiet")[0].get_text()
    assert "e" * 900 in soup.get_text()
    assert "d" * 100 not in soup.get_text()


def test_a_notebook_cannot_say_itself_where_an_output_went():
    cell = samples.code("x", new_output("display_data", {"text/plain": "x"}, metadata={"moved": "../../secret.txt"}))
    assert not page(new_notebook(cells=[cell])).select("article a")


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg"])
def test_what_is_no_image_is_kept_as_it_is(tmp_path, kind):
    cell = samples.code("x", new_output("display_data", {kind: "A" * 1001}))
    outputs.moved_to_files(new_notebook(cells=[cell]), tmp_path, 1000)
    (path,) = (tmp_path / "outputs").iterdir()
    assert path.read_text() == "A" * 1001
