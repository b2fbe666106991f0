"""A run's notebook becomes a page to read: the answer, then the argument, then what it was made from.

The page asks the network for nothing and runs no script but its own: a content security policy binds the
browser, and whatever could try is taken out.
"""

import ast
import base64
import copy
import hashlib
import io
import posixpath
import re
from urllib.parse import quote

from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from PIL import Image, UnidentifiedImageError
from traitlets.config import Config

from crmlab.display import words
from crmlab.estimate import Estimate
from crmlab.reports import allowed
from crmlab.reports.templates import FOLDER, environment

HEADLINE = 8  # facts that stand open; the rest fold, so that the checks are not far down
PIXELS = 1.5  # of a figure to one of the page: figures are drawn at 144 dots an inch, pages at 96
IMAGES = ("image/svg+xml", "image/png", "image/jpeg")
SHOWN = ["text/html", "text/markdown", *IMAGES, "text/latex", "text/plain"]  # the first that an output has
ACTIVE = ["script", "iframe", "object", "embed", "link", "meta", "base", "form"]
OBJECT = re.compile(r"\s*(array\()?\[*<")  # how Python shows what has no words of its own
LIFTED = '<p class="quiet">See <a href="#in-short">In short</a>.</p>'
AXES = re.compile(r"<\w*Axes\w*: (.*)>\s*", re.DOTALL)

MOVED_FILE = re.compile(r"outputs/cell-[0-9-]+\.[a-z.]+")  # of a run, that holds an output too large for the page
FIGURE_FILE = re.compile(r"figures/\w[\w .()-]*\.(svg|csv)")  # of a run, that a page links beside a figure


def page(notebook, manifest, kept=None):
    """A run as one HTML page that needs no other file.

    notebook : nbformat node, executed as far as it came; left as it is
    manifest : the run's Manifest, its artefacts not yet listed
    kept     : paths of the files of the run, to which alone outputs may link; None looks at none
    """
    prepared, cells = _prepare(notebook, manifest.error.cell if manifest.error else None, kept)
    body = _body(prepared)
    if manifest.facts or manifest.checks or manifest.notes:
        for lifted in body.select(".crmlab-report")[-1:]:
            lifted.replace_with(BeautifulSoup(LIFTED, "html.parser"))
    further = _lift_kept_tables(body, manifest.tables)
    title, headings = _headings(body, manifest.title)
    _remove_active(body)
    _frame_tables(body)
    headline_figure = Markup(_headline_figure(_number_figures(body), manifest.figures))
    facts = [(name, Estimate(**fact)) for name, fact in manifest.facts.items()]
    script = (FOLDER / "page.js").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment().get_template("report.html.j2")
    return template.render(
        run=manifest,
        title=title or words(manifest.report),
        facts=dict(facts[:HEADLINE]),
        more_facts=dict(facts[HEADLINE:]),
        cells=range(1, cells + 1),
        headline_figure=headline_figure,
        headings=headings,
        body=Markup(body),
        further=further,
        files=_files(manifest),
        script=Markup(script),
        scripts=f"'sha256-{digest}'",
    )


def _headline_figure(figures, titles):
    """What is in the first of these figures, image and caption, which the argument shows again; "" where none is."""
    return next((figures[title].decode_contents() for title in titles if title in figures), "")


def _lift_kept_tables(body, stems):
    """Take the lines of tables that are kept and not shown out of the argument: path, "" if private, and text of each.

    stems : of the run's tables
    """
    found = {}
    for line in body.select("p.crmlab-kept"):
        stem = line.get("data-stem", "")
        found[stem] = {"path": _open_table(stem) if stem in stems else "", "text": line.get_text()}
        output = line.find_parent("div", class_="output")
        line.decompose()
        if output is not None and not output.get_text(strip=True):
            output.decompose()
    return list(found.values())


def _files(manifest):
    """What the page links to within its run folder."""
    return ["report.ipynb", "manifest.json", "facts.json", *filter(None, map(_open_table, manifest.tables))]


def _open_table(stem):
    """The path of a table within its run folder; "" of one that names customers, which no page links."""
    path = posixpath.normpath(f"tables/{stem}.csv")
    return path if path.startswith("tables/") and not path.lower().startswith("tables/private/") else ""


def _prepare(notebook, failed, kept):
    """A copy of the notebook with what the template needs to know of it, and how many code cells it has."""
    notebook = copy.deepcopy(notebook)
    notebook.cells = [cell for cell in notebook.cells if not _is_left_out(cell)]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.metadata.setdefault("tags", [])
        cell.metadata |= {"number": number, "failed": number == failed}
        for output in cell.outputs:
            moved = str(output.get("metadata", {}).get("moved"))
            if not MOVED_FILE.fullmatch(moved) or (kept is not None and moved not in kept):
                output.get("metadata", {}).pop("moved", None)
        _describe_figures(cell, kept)
    return notebook, len(code)


def _is_left_out(cell):
    """Cells that nobody wrote or ran: papermill's words on an error, which the page states itself, and blank ones."""
    return "papermill-error-cell-tag" in cell.metadata.get("tags", ()) or not cell.source.strip()


def _describe_figures(cell, kept):
    """Give the figures of a cell their size and words, and drop the object that they were shown beside."""
    figures = [output for output in cell.outputs if any(kind in output.get("data", ()) for kind in IMAGES)]
    objects = [output for output in cell.outputs if _is_object(output)]
    if not figures:
        return
    cell.outputs = [output for output in cell.outputs if output not in objects]
    described = next(filter(None, (_axes_in_words(o.data["text/plain"]) for o in objects)), "Figure")
    for number, figure in enumerate(figures, 1):
        given, only = figure.metadata, described if len(figures) == 1 else f"Figure {number} of {len(figures)}"
        alt = str(given.get("alt") or only)
        files = given.get("files") if isinstance(given.get("files"), list) else []
        files = [path for path in map(str, files) if FIGURE_FILE.fullmatch(path) and (kept is None or path in kept)]
        figure.metadata = NotebookNode(alt=alt, title=str(given.get("title") or alt), files=files)
        _check_image(figure)


def _check_image(output):
    """Give an image its size on the page, or, where it is none, words in its place."""
    kind = next(kind for kind in IMAGES if kind in output.data)
    if kind == "image/svg+xml":
        return
    try:
        with Image.open(io.BytesIO(base64.b64decode("".join(output.data[kind])))) as image:
            width, height = image.size
            image.load()
    except Exception as fault:  # Pillow raises many kinds
        why = "it is no image" if isinstance(fault, UnidentifiedImageError) else str(fault)
        output.data = NotebookNode({"text/plain": f"[image that cannot be drawn: {output.metadata.title}: {why}]"})
        return
    output.data = NotebookNode({kind: output.data[kind]})
    output.metadata |= {"width": round(width / PIXELS), "height": round(height / PIXELS)}


def _is_object(output):
    return list(output.get("data", ())) == ["text/plain"] and OBJECT.match(output.data["text/plain"])


def _axes_in_words(shown):
    """What `<Axes: title={'left': 'T'}, xlabel='x', ylabel='y'>` draws: "Figure: T, y against x". None if no axes."""
    found = AXES.fullmatch(shown)
    try:
        call = ast.parse(f"axes({found[1]})", mode="eval").body if found else None
        keywords = call.keywords if isinstance(call, ast.Call) else []
        properties = {keyword.arg: ast.literal_eval(keyword.value) for keyword in keywords}
    except (SyntaxError, ValueError):
        return None
    drawn = " against ".join(filter(None, (properties.get("ylabel"), properties.get("xlabel"))))
    description = ", ".join([*properties.get("title", {}).values(), *filter(None, [drawn])])
    return f"Figure: {description}" if description else None


def _body(notebook):
    """The cells as HTML, parsed."""
    exporter = HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": SHOWN}),
        template_name="notebook",
        extra_template_basedirs=[str(FOLDER)],
        filters={"prose": allowed.prose, "allowed": allowed.output},
        exclude_anchor_links=True,
    )
    return BeautifulSoup(exporter.from_notebook_node(notebook)[0], "html.parser")


def _headings(body, title):
    """The page's title, and level, id and text of the headings below it, which skip no level.

    title : the report's; "" takes the first heading's. A first heading that says the same is taken out.
    """
    found, names, above = [], set(), 1
    headings = body.select(", ".join(f".prose h{level}" for level in range(1, 7)))
    first = headings[0].get_text(" ", strip=True) if headings else ""
    title, deeper = title or first, 1
    if headings and title == first:
        deeper = 1 - int(headings[0].name[1])
        headings.pop(0).decompose()
    for heading in headings:
        level = above = max(min(int(heading.name[1]) + deeper, above + 1, 6), 2)
        text = heading.get_text(" ", strip=True)
        slug = "h-" + (re.sub(r"\W+", "-", text.lower()).strip("-") or "untitled")
        name = next(n for i in range(len(names) + 1) if (n := f"{slug}-{i + 1}" if i else slug) not in names)
        names.add(name)
        heading.name, heading["id"] = f"h{level}", name
        found.append({"level": level, "id": name, "text": text})
    return title, found


def _remove_active(body):
    """Take out what acts, or would be fetched from elsewhere."""
    for tag in body(ACTIVE):
        tag.decompose()
    for image in body("img"):
        if not image.get("src", "").startswith("data:"):
            image.replace_with(f"[image not in this file: {image.get('alt') or image.get('src', '')}]")


def _frame_tables(body):
    """Let each table scroll in a box of its own, which the keyboard reaches, with its numbers to the right."""
    for number, table in enumerate(body("table"), 1):
        stem = table.find_previous_sibling(True)
        label = f"Table {number}"
        if stem is not None and "stem" in stem.get("class", ()):
            label = stem.string = f"{label}: {stem.get_text()}"
            stem["id"] = f"table-{number}"
        else:
            caption = body.new_tag("p", attrs={"class": "stem", "id": f"table-{number}"})
            caption.string = label
            table.insert_before(caption)
        _mark_kinds(table)
        box = {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": label}
        table.wrap(body.new_tag("div", attrs=box))


def _number_figures(body):
    """Give each figure its number, an anchor, a caption of its title, and links to its drawing and data: by title.

    Of several of one title the last alone has files.
    """
    found = {figure.get("data-title"): figure for figure in body("figure") if figure.img}
    for number, figure in enumerate(body("figure"), 1):
        figure["id"], figure["tabindex"] = f"figure-{number}", "0"
        title, files = figure.attrs.pop("data-title", ""), figure.attrs.pop("data-files", "")
        caption = body.new_tag("figcaption")
        caption.string = f"Figure {number}" if title in ("", "Figure") else f"Figure {number}: {title}"
        for path in filter(None, files.split("|") if found.get(title) is figure else ()):
            link = body.new_tag("a", href=quote(path))
            link.string = "SVG" if path.endswith(".svg") else "data"
            caption.extend([" ", link])
        figure.append(caption)
    return found


def _mark_kinds(table):
    """Say of each cell whether it holds a number (n) or prose (l), as `crmlab.display.show` noted of its column."""
    kinds = table.get("data-kinds", "")
    for row in table("tr"):
        cells = row(["td", "th"])
        if len(cells) == len(kinds):
            for cell, kind in zip(cells, kinds, strict=True):
                if kind != "t":
                    cell["class"] = kind
        for corner in row("th"):
            if not corner.get_text(strip=True):
                corner.name = "td"
