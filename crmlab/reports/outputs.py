"""Outputs of a notebook that are too large for its page: they go to files beside it."""

import base64
import copy

from nbformat.v4 import new_output

from crmlab.reports.render import IMAGES, SHOWN

FOLDER = "outputs"
FIRST = 2000  # letters of text that the page shows of what goes on in a file
ENDINGS = {"text/html": "html.txt", "text/markdown": "md", "text/latex": "tex", "image/svg+xml": "svg.txt"}


def moved_to_files(notebook, folder, most):
    """A notebook whose cells put out no more than `most` bytes; the rest lies in `outputs/`, and a line links it.

    What a Report shows stays, whatever its size: its author asked for it.

    notebook : nbformat node; left as it is
    folder   : the run's; written to only where something is moved
    """
    if sum(map(_size, _outputs(notebook))) <= most:
        return notebook
    notebook = copy.deepcopy(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        room, kept = most, []
        for output in cell.get("outputs", ()):
            size = _size(output)
            if output.output_type == "error" or "crmlab" in output.get("metadata", ()):
                kept.append(output)
            elif size <= room:
                room -= size
                kept.append(output)
            else:
                kept.append(_moved(output, folder / FOLDER, f"cell-{number}"))
        cell.outputs = kept
    return notebook


def _outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def _kind(output):
    """The form of an output that a page shows, and its content as text."""
    if output.output_type == "stream":
        return "text/plain", "".join(output.text)
    kind = next((kind for kind in SHOWN if kind in output.get("data", ())), "text/plain")
    return kind, "".join(output.get("data", {}).get(kind, ""))


def _size(output):
    return len(_kind(output)[1].encode(errors="replace"))


def _moved(output, folder, stem):
    """What stands for an output in its cell: the first of it where it is text, and where all of it is."""
    kind, content = _kind(output)
    folder.mkdir(exist_ok=True)
    ending = ENDINGS.get(kind, kind.partition("/")[2].replace("plain", "txt"))
    if ending == "txt":  # text that follows text goes on in the same file
        path = folder / f"{stem}.{ending}"
    else:
        path = next(p for n in range(1, 10**6) if not (p := folder / f"{stem}-{n}.{ending}").exists())
    if kind in IMAGES and kind != "image/svg+xml":
        path.write_bytes(_decoded(content))
    else:
        with path.open("a", encoding="utf-8", errors="replace") as stream:
            stream.write(content)
    shown = content[:FIRST] if ending == "txt" else ""
    size = f"{len(content.encode(errors='replace')) / 1e6:,.1f} MB"
    return new_output("display_data", {"text/plain": shown}, metadata={"moved": f"{FOLDER}/{path.name}", "size": size})


def _decoded(content):
    try:
        return base64.b64decode(content)
    except ValueError:  # it is no image; what it is can be looked at
        return content.encode(errors="replace")
