"""What can be asked of any cell: whether it is empty, and whether it holds something that was not read."""

import ibis.expr.types as ir


def holds(cell: ir.Column) -> ir.BooleanValue:
    """Whether a cell is more than blanks: of numbers not by their text, which takes seconds."""
    if cell.type().is_string():
        return cell.notnull() & cell.re_search(r"\S")
    if cell.type().is_floating():  # NaN is no number, but not nothing, as Spark has it
        return (cell.notnull() | cell.isnan()).fill_null(False)
    return cell.notnull()


def is_empty(name):
    """Whether nothing stands in the cells of a column, as a function of the typed table."""
    return lambda t: ~holds(t[f"raw_{name}"])


def is_missing(name):
    """The same of a column whose readings are null where nothing stands, which most are not."""
    return lambda t: t[name].isnull().ifelse(is_empty(name)(t), False)


def is_unread(name):
    """Whether something stands in the cells of a column that has no reading."""
    return lambda t: t[name].isnull().ifelse(holds(t[f"raw_{name}"]), False)
