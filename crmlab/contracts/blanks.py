"""What can be asked of any cell: whether it is empty, and whether it holds something that was not read."""


def is_empty(name):
    """Whether nothing stands in the cells of a column, as a function of the typed table."""
    return lambda t: t[f"raw_{name}"].isnull() | ~t[f"raw_{name}"].re_search(r"\S")


def is_missing(name):
    """The same of a column whose readings are null where nothing stands, which most are not."""
    return lambda t: t[name].isnull().ifelse(is_empty(name)(t), False)


def is_unread(name):
    """Whether something stands in the cells of a column that has no reading."""
    return lambda t: t[name].isnull().ifelse(t[f"raw_{name}"].re_search(r"\S"), False)
