"""The encoding of a text file: as stated, by its byte order mark, UTF-8, or one that is found.

UTF-8 is taken where the bytes are valid UTF-8, as other text hardly ever is; UTF-16 and UTF-32 without a mark where
zero bytes stand in their places. Else an encoding is found by exclusion. Candidates are COMMON, or where none of these
is left the one that charset-normalizer finds best. A candidate is ruled out

- where it cannot decode the file, or reads control signs (U+0080 to U+009F), private or unassigned ones;
- where a tenth or more of the words beyond ASCII that it reads mix two alphabets, as Cafй, or half or more of them are
  implausible otherwise (`_implausible`): a Chinese, Japanese or Korean sign beside a small Latin letter or between two
  letters, as cr殚e; a capital after a small letter, as нЯЙ; three accented letters or signs in a row, as Ìîñ; a sign
  that is no letter beside an accented letter or between others, as M³ller; a low quote or a dagger behind a letter, a
  quote between two, as K”ln; ligatures, and signs that frames are drawn by. A few such words do not rule it out, as
  real text has them too, but for the rare ones below;
- where it reads fewer of the names that the user states, of columns above all, than another candidate does.

One is taken where all that are left read the header and the columns used alike; else the user is asked to state it. So
they are where only one is left that hardly any text is in: mac_roman, in which text of old DOS programs looks
plausible, or the one that charset-normalizer finds.
"""

import codecs
import encodings.aliases
import io
import re
import unicodedata
from functools import cache
from itertools import chain, pairwise

from charset_normalizer import from_bytes

from crmlab.contracts import SHOWN, InputError
from crmlab.contracts.errors import nearest

BLOCK = 1 << 20
REMEMBERED = 100_000  # different cells that are looked at once only
SHOWN_READINGS = 3
ASCII = bytes(range(32, 127))
SAMPLE = 1 << 18  # bytes of lines beyond ASCII by which readings are compared
COMMON = ("cp1252", "latin-1", "iso8859-15", "gb18030", "big5", "cp949", "shift_jis", "euc_jp", "cp1251", "koi8-r",
          "cp1250", "iso8859-2", "cp1253", "cp1254", "cp1255", "cp1256", "cp874", "mac_roman")  # fmt: skip
USUAL = {*COMMON} - {"mac_roman"}
MARKS = {  # those of UTF-32 first, as they begin as those of UTF-16 do
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
ALPHABETS = {"LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI", "HALFWIDTH"}  # never two in a word
EAST = r"[\u2e80-\ud7ff\uf900-\ufaff]"  # signs of Chinese, Japanese and Korean
CONTROL = re.compile(r"[\x80-\x9f]")


def known(name: str) -> str:
    """The name of an encoding of text, as it is given. Raises ValueError for one that Python has not."""
    if _is_of_text(name):
        return name
    names = {*COMMON, *encodings.aliases.aliases, *encodings.aliases.aliases.values()}
    near = nearest(name.replace("_", "-"), sorted(other.replace("_", "-") for other in names if _is_of_text(other)))
    raise ValueError(f"there is no such encoding of text; write it as {near or 'utf-8'!r}")


def _is_of_text(name):
    try:
        return codecs.lookup(name)._is_text_encoding  # type: ignore[attr-defined]
    except LookupError:
        return False


def find(stream, stated, listed, where, table):
    """The encoding to read a text file by, and that in words with the reason.

    stream : function that opens the file as a stream of bytes
    stated : the encoding that the user states, or None
    listed : where one states it, as messages say it
    table  : a `textfiles.Layout`, by which cells are found in it
    Raises InputError where there are zero bytes, the stated encoding does not fit, or none is found.
    """
    with stream() as file:
        head = file.read(4096)
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if stated:
        _check_fit(stream, stated, listed, where)
        return stated, f"{stated}, as stated"
    if marked and marked != "utf-8":
        _check_fit(stream, marked, listed, where)
        return marked, f"{marked}, by its byte order mark"
    if (wide := _wide(head)) and _fits(stream, wide):
        return wide, f"{wide}, found: by its zero bytes"
    if _fits(stream, "utf-8"):
        _refuse_zeros(stream, "utf-8", where)
        return "utf-8", "utf-8"
    if marked:
        _check_fit(stream, "utf-8", listed, where)
    _refuse_zeros(stream, "latin-1", where)
    return _found(stream, listed, where, table)


def decoded(stream, encoding, errors="strict"):
    """The text of a stream of bytes, block by block, without its mark."""
    decoder = codecs.getincrementaldecoder("utf-8-sig" if is_utf8(encoding) else encoding)(errors)
    while block := stream.read(BLOCK):
        yield decoder.decode(block)
    yield decoder.decode(b"", True)


def is_utf8(encoding):
    """Whether an encoding is UTF-8, by any of its names, with a mark or without one."""
    return codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")


def _wide(head):
    """UTF-16 or UTF-32 without a mark, by the zero bytes that other text has not; None for other text."""
    if b"\0" not in head:
        return None
    zeros = [head[i::4].count(0) * 4 > len(head) * 0.9 for i in range(4)]
    if sum(zeros) == 3:
        return "utf-32-be" if zeros[0] else "utf-32-le"
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 10 < len(head) or min(even, odd) * 20 > max(even, odd):
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _fits(stream, encoding):
    """Whether a file is text of an encoding, which has no control signs where it is none of Unicode."""
    plain = is_utf8(encoding)
    unicode = codecs.lookup(encoding).name.startswith("utf")
    decoder = codecs.getincrementaldecoder(encoding)()
    with stream() as file:
        try:
            while block := file.read(BLOCK):
                if plain and block.isascii() and not decoder.getstate()[0]:
                    continue
                text = decoder.decode(block)
                if not unicode and CONTROL.search(text):
                    return False
            decoder.decode(b"", True)
        except UnicodeError:
            return False
    return True


def _check_fit(stream, encoding, listed, where):
    """Raises InputError for a file that is not of an encoding, with the lines where it is not."""
    if not _fits(stream, encoding):
        wrong = "[\ufffd\x80-\x9f]" if not codecs.lookup(encoding).name.startswith("utf") else "\ufffd"
        found = _lines(stream, encoding, wrong)
        advice = f"state its encoding {listed}, such as encoding = 'cp1252', or none, so that it is looked for"
        raise InputError(f"{where}: text is not {encoding} in {found}; {advice}")
    _refuse_zeros(stream, encoding, where)


def _refuse_zeros(stream, encoding, where):
    """Raises InputError for a file with zero bytes in its text."""
    if _has_zeros(stream, encoding):
        found = _lines(stream, encoding, "\0")
        raise InputError(f"{where}: zero bytes (NUL) stand in {found}; it may be damaged, write it anew as text")


def _has_zeros(stream, encoding):
    with stream() as file:
        if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            return any("\0" in text for text in decoded(file, encoding))
        return any(b"\0" in block for block in iter(lambda: file.read(BLOCK), b""))


def _lines(stream, encoding, wrong):
    """In how many lines a sign stands, and the first of them, in words."""
    count, first = 0, []
    with stream() as file:
        for number, line in enumerate(_lines_of(decoded(file, encoding, "replace")), 1):
            if re.search(wrong, line):
                count += 1
                first += [f"line {number:,}"] if count <= SHOWN else []
    return f"{'1 line' if count == 1 else f'{count:,} lines'} (first: {'; '.join(first)})"


def _lines_of(blocks):
    """The lines of a text that comes in blocks."""
    rest = ""
    for block in blocks:
        *lines, rest = re.split("\r\n|\n|\r(?!$)", rest + block)
        yield from lines
    yield from rest.splitlines() or [""]


def _found(stream, listed, where, table):
    """The encoding that is found of a file which is no Unicode, with the reason."""
    sample = _sample(stream)
    ranked = (match.encoding for match in from_bytes(sample))
    best = next((name for name in ranked if ASCII.decode(name, "replace") == ASCII.decode()), "cp1252")
    left = _plausible(stream, COMMON, sample) or _plausible(stream, [best], sample)
    if not left:
        advice = f"state its encoding {listed}, such as encoding = 'cp1252', or save it as UTF-8"
        raise InputError(f"{where}: is not utf-8, and no encoding is found that reads it; {advice}")
    with stream() as file:
        left, differing = _compare(io.TextIOWrapper(file, "latin-1", newline=""), left, table)
    cell = next((differing[left[0], other] for other in left if (left[0], other) in differing), None)
    if cell is None:
        reason = "all candidates read the columns used alike" if len(left) > 1 else "all other candidates are ruled out"
        return left[0], f"{left[0]}, found: {reason}"
    readings: dict[str, str] = {}
    for encoding in sorted(left, key=lambda e: _codec(e) != _codec(best)):
        readings.setdefault(cell.decode(encoding, "replace"), encoding)
    shown = [f"{encoding!r} reads {text!r}" for text, encoding in readings.items()][:SHOWN_READINGS]
    others = [*readings.values()][SHOWN_READINGS:]
    more = f" (others: {', '.join(others)})" if others else ""
    advice = f"state the right one {listed}, such as encoding = {next(iter(readings.values()))!r}, or save it as UTF-8"
    raise InputError(f"{where}: its encoding is not certain: {', '.join(shown)}{more}; {advice}")


def _compare(text, left, table):
    """The candidates that read most of the names that should be found; of each two, a cell that they read differently.

    A rare one that reads none of the names is paired with itself. `text` is the file as latin-1, so that each cell
    gives its bytes.
    """
    rows = table.rows(text)
    header = [] if table.header else [name.encode("latin-1") for name in next(rows, [])]
    named = [table.header] if table.header else [[name.decode(e, "replace") for name in header] for e in left]
    used = {i for names in named for i in table.used(names)}
    cells = (row[i].encode("latin-1") for row in rows for i in used if i < len(row) and not row[i].isascii())
    names, seen, differing = {name for name in table.names if not name.isascii()}, set(), {}
    reads: dict[str, set] = {encoding: set() for encoding in left}
    for cell in chain(header, cells):
        if cell in seen:
            continue
        if len(seen) < REMEMBERED:
            seen.add(cell)
        said = {encoding: cell.decode(encoding, "replace") for encoding in left}
        differing |= {(rare, rare): cell for rare in left if rare not in USUAL and not cell.isascii()}
        for encoding in left:
            reads[encoding] |= {said[encoding].strip()} & names
        if len(set(said.values())) > 1:
            pairs = ((a, b) for a in left for b in left if said[a] != said[b])
            differing |= {pair: cell for pair in pairs if pair not in differing}
    most = max(map(len, reads.values()))
    differing = {pair: cell for pair, cell in differing.items() if pair[0] != pair[1] or not most}
    return [encoding for encoding in left if len(reads[encoding]) == most], differing


def _codec(name):
    return codecs.lookup(name).name


def _beyond_ascii(stream):
    """Lines with bytes beyond ASCII, block by block: the bytes of all of a block, joined."""
    with stream() as file:
        rest = b""
        while block := file.read(BLOCK):
            whole, _end, rest = (rest + block).rpartition(b"\n" if b"\n" in block else b"\r")
            yield b"\n".join(line for line in whole.splitlines() if not line.isascii())
        yield rest


def _sample(stream):
    """The first lines with bytes beyond ASCII."""
    sample = b""
    for lines in _beyond_ascii(stream):
        sample += lines + b"\n"
        if len(sample) > SAMPLE:
            return sample[: sample.rfind(b"\n", 0, SAMPLE) + 1] or sample[:SAMPLE]
    return sample


def _plausible(stream, candidates, sample):
    """The candidates that decode a file, without signs that no text has, and read a sample of it plausibly."""
    left: list[str] = [*candidates]
    seen: dict[str, set] = {encoding: set() for encoding in candidates}
    known_parts: set = set()
    for lines in _beyond_ascii(stream):
        # parted where no sign of several bytes is
        parts = {part for part in re.split(rb'[,;\t"\n]', lines) if not part.isascii()} - known_parts
        if len(known_parts) < REMEMBERED:
            known_parts |= parts
        for encoding in [*left]:
            try:
                seen[encoding].update(b"\n".join(parts).decode(encoding))
            except UnicodeError:
                left.remove(encoding)
    left = [encoding for encoding in left if not any(map(_is_no_text, seen[encoding]))]
    limits = {encoding: 0.49 if encoding in USUAL else 0 for encoding in left}
    return [encoding for encoding in left if _is_plausible(sample.decode(encoding, "ignore"), limits[encoding])]


def _is_no_text(sign):
    return sign >= "\x80" and unicodedata.category(sign) in ("Cc", "Cn", "Co", "Cs")


def _is_plausible(text, limit):
    """Whether few words beyond ASCII mix alphabets, and a share of at most `limit` is implausible."""
    words = {word for word in re.findall(r'[^\s,;|"]+', text) if _beyond(word) or _implausible(word)}
    mixed, implausible = sum(map(_mixes, words)), sum(map(_implausible, words))
    return not words or (mixed * 10 < len(words) and implausible <= limit * len(words))


def _beyond(word):
    """Whether a letter or sign of a word is beyond ASCII; quotes and dashes are none."""
    return any(sign > "\x7f" and unicodedata.category(sign)[0] != "P" for sign in word)


def _mixes(word):
    """Whether letters of two alphabets stand side by side in a word."""
    letters = "".join(sign if unicodedata.category(sign)[0] in "LM" else " " for sign in word).split()
    return any(len(ALPHABETS & set(map(_script, part))) > 1 for part in letters)


def _implausible(word):
    """Whether a word is hardly one of any language otherwise: see the rules of this module."""
    return bool(
        re.search(rf"[a-z]{EAST}|{EAST}[a-z]|[A-Za-z]{EAST}+[A-Za-z]|[\u2500-\u259f\ufb00-\ufb06]", word)
        or re.search(r"[^\W\d_][\u201a\u201e\u2020\u2021\u2030\u02c6]|[^\W\d_][“”‹›•¡¿][^\W\d_]", word)
        or any(a.islower() and b.isupper() and not (a + b).isascii() for a, b in pairwise(word))
        or re.search("[aps]{3}|[al]s|s[al]|ws+w", "".join(map(_role, word)))
    )


@cache
def _script(sign):
    """The script of a letter, as Unicode names it."""
    return unicodedata.name(sign, "").split(" ")[0]


@cache
def _role(sign):
    """What a sign is: a letter of ASCII, one beyond it of Latin or another alphabet, punctuation or another sign."""
    if sign < "\x80" or re.match(EAST, sign):
        return "w" if sign.isascii() and sign.isalpha() else "."
    kind = unicodedata.category(sign)
    if kind[0] in "LM":
        return "a" if _script(sign) == "LATIN" else "l" if _script(sign) in ALPHABETS else "."
    return "p" if kind[0] == "P" else "s"
