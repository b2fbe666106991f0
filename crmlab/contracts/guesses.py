"""What a raw table seems to hold, by the names of its columns and by what stands in them: guesses, to be looked at."""

import re
from dataclasses import dataclass

import ibis.expr.types as ir

from crmlab.contracts import CONTRACTS, FILE, ROW, numbers, time_advice
from crmlab.contracts.currencies import SIGN
from crmlab.contracts.expressions import column_names
from crmlab.contracts.names import guess

BY_NAME = "by its name"
SAMPLE = 50  # cells of a column that are looked at
KINDS = {"time": "times", "day": "times", "period": "times", "number": "numbers"}  # of columns, known by their cells


@dataclass(frozen=True)
class Guess:
    """What may stand in a field of an entry.

    value    : of the field; None where nothing is found for it
    why      : in words
    doubtful : whether it is to be decided
    """

    value: str | None
    why: str
    doubtful: bool = False


def names(raw: ir.Table) -> list[str]:
    """The columns of a raw table that are the user's."""
    return [name for name in raw.columns if name not in (FILE, ROW)]


def contract(raw: ir.Table) -> Guess:
    """The contract that a raw table seems to keep."""
    columns = names(raw)
    known = {column: guess(column, columns) for column in ("customer_id", "time", "start", "end", "order_id")}
    customer = known["customer_id"]
    if customer and known["start"] and (known["end"] or not known["time"]):
        return Guess("subscriptions", "customers and starts of contracts stand in it")
    if customer and known["time"]:
        return Guess("transactions", "customers and times stand in it")
    if (tenure := guess("tenure", columns)) and (churned := guess("churned", columns)):
        return Guess("subscriptions", f"tenures ({tenure!r}) and whether they ended ({churned!r}) stand in it")
    sale, period = _sales(columns), known["time"] or guess("period", columns)
    if sale and period and not customer and not known["order_id"]:
        why = f"times ({period!r}) and sales ({sale!r}) stand in it, and no column that is known for one of customers"
        more = {*columns} - {sale, period, guess("category", columns)}
        return Guess("series", f"{why}; transactions, where another column names them" if more else why, bool(more))
    others = [name for name in columns if name != customer]
    dated = customer is not None and any(_holds(raw, name, "times") for name in others)
    if not known["time"] and not (dated and (sale or known["order_id"])) and (found := _key(raw, columns)):
        return found
    if dated:
        return Guess("transactions", "customers and times stand in it")
    return Guess(
        "transactions", f"no contract is known by these columns; others are {', '.join([*CONTRACTS][1:])}", True
    )


def columns(raw: ir.Table, kind: str) -> dict[str, Guess]:
    """The columns of a contract that a raw table seems to have, by their names; of those needed, all."""
    found: dict[str, Guess] = {}
    forms = CONTRACTS[kind].forms or (CONTRACTS[kind].columns,)
    known = (form for form in forms if all(guess(c.name, names(raw)) for c in form if c.required))
    for column in next(known, forms[0]):
        taken = {guessed.value for guessed in found.values()}
        free = [name for name in names(raw) if name not in taken]
        if guessed := _column(raw, column, free):
            found[column.name] = guessed
    return found


def _column(raw, column, free):
    if column.kind == "money":
        return _amount(free)
    name = _sales(free) if column.name == "sales" else guess(column.name, free)
    name = name or (guess("period", free) if column.kind == "period" else None)
    if name and (column.required or column.kind != "text" or _is_text(raw[name].type())):
        return Guess(name, BY_NAME)
    if not column.required:
        return None
    what = KINDS.get(column.kind)
    candidates = [name for name in free if what and _holds(raw, name, what)]
    if candidates:
        others = f"; so do those of {', '.join(map(repr, candidates[1:]))}" if candidates[1:] else ", those of no other"
        return Guess(candidates[0], f"its cells read as {what}{others}", True)
    if column.nullable:
        return None
    listed = f"name one of {', '.join(map(repr, free))}" if free else "no column is left"
    return Guess(None, f"{column.meaning}; no column is known for it, {listed}", True)


def _amount(columns):
    """The amount of a line: a column, or a quantity by a price."""
    amount, price, quantity = (guess(what, columns) for what in ("amount", "price", "quantity"))
    if amount and (amount != price or not quantity):
        return Guess(amount, BY_NAME)
    if not price:
        return None
    if not quantity:
        return Guess(price, "the price of a piece by its name, and no quantity stands beside it", True)
    product = _product(quantity, price)
    if amount:
        return Guess(product, f"where {price!r} is the price of a piece; {price!r} where it is that of the line", True)
    return Guess(product, "no column is known for the amount of a line")


def _product(*factors):
    """The calculation that multiplies columns; those whose names hold blanks or signs, or are words of SQL, quoted."""
    bare = " * ".join(factors)
    return bare if column_names(bare) == [*factors] else " * ".join(map(_quoted, factors))


def _quoted(name):
    return '"{}"'.format(name.replace('"', '""'))


def _sales(columns):
    """The column of the sales of a period."""
    return guess("sales", columns) or guess("amount", columns) or guess("quantity", columns)


def _key(raw, columns):
    """The contract of a table with a row a customer, product or store; None where none is known to be."""
    for kind in ("customers", "products", "stores"):
        (key,) = CONTRACTS[kind].key
        name = guess(key, columns)
        if name and _is_unique(raw, name):
            return Guess(kind, f"{name!r} is another in each row, and no times are known by name")
    return None


def _is_unique(raw, name):
    counted = raw.aggregate(rows=raw.count(), different=raw[name].nunique()).to_pyarrow().to_pylist()[0]
    return 0 < counted["rows"] == counted["different"]


def _is_text(kind):
    return kind.is_string() or kind.is_integer() or kind.is_uuid()


def _holds(raw, name, what):
    """Whether most cells of a column, of the first that are filled, read as times or as numbers."""
    kind = raw[name].type()
    if not kind.is_string():
        return kind.is_temporal() if what == "times" else kind.is_numeric() and not kind.is_boolean()
    filled = raw.filter(raw[name].re_search(r"\S")).select(cell=name).limit(SAMPLE)
    cells = [line["cell"] for line in filled.to_pyarrow().to_pylist()]
    return time_advice.are_times(cells) if what == "times" else 2 * sum(map(_is_number, cells)) > len(cells)


def _is_number(cell):
    return re.fullmatch(numbers.DIGITS, re.sub(rf"{SIGN}|[-+()\s]", "", cell)) is not None
