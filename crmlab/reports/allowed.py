"""What of a notebook's HTML a page lets through: words, tables and pictures; nothing that acts, restyles or frames."""

import re

import nh3
from pygments.token import STANDARD_TYPES

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del", "details", "div", "dl",
    "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "mark", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
    "th", "thead", "tr", "u", "ul",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "p": {"data-stem"},
    "table": {"data-kinds"},
    **{tag: {"colspan", "rowspan"} for tag in ("td", "th")},
}
OURS = {"crmlab", "crmlab-blank", "crmlab-checks", "crmlab-kept", "crmlab-line", "crmlab-report", "dataframe", "stem"}
OF_CHECKS = {"assumption", "comparison", "finding", "passed", "failed", "undecided", "not-applicable", "yes", "no"}
PROSE_CLASSES = {tag: {"highlight", *filter(None, STANDARD_TYPES.values())} for tag in ("code", "div", "pre", "span")}
OUTPUT_CLASSES = PROSE_CLASSES | {"div": {"highlight", *OURS}, "p": OURS, "table": OURS, "ul": OURS, "li": OF_CHECKS}
SCHEMES = {"http", "https", "mailto", "data"}
OTHER_TAG = re.compile(rf"<(?![!?]|/?({'|'.join(sorted(TAGS))})[\s/>])", re.IGNORECASE)
BEGUN = re.compile(r"<([a-z][\w-]*)", re.IGNORECASE)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
PANDAS_STYLE = re.compile(r"<style scoped>\s*\.dataframe .*?</style>", re.DOTALL)


def prose(html):
    """Markdown's HTML without anything that could act; a tag that is not let through is shown as text."""
    shown = OTHER_TAG.sub("&lt;", html)
    return nh3.clean(
        shown, TAGS, attributes=ATTRIBUTES, allowed_classes=PROSE_CLASSES, url_schemes=SCHEMES, link_rel=None
    )


def output(html):
    """An output's HTML, whole in itself, without anything that could act or restyle the page; what is left out is said.

    The content of a tag that is let through stays; that of scripts, styles and the like goes with them.
    """
    html = PANDAS_STYLE.sub("", "".join(html))
    clean = nh3.clean(html, TAGS, attributes=ATTRIBUTES, allowed_classes=OUTPUT_CLASSES, url_schemes=SCHEMES,
                      link_rel=None)  # fmt: skip
    plain = COMMENT.sub("", html)
    lost = sorted({name.lower() for name in BEGUN.findall(plain)} - TAGS - {"html", "body", "head"})
    if lost := lost[:8] + ["what follows an unclosed comment"] * ("<!--" in plain):
        clean += f'<p class="quiet">Left out of this output: {", ".join(lost)}.</p>'
    return clean
