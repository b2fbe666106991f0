"""What the parts of an instrument ask of each other, checked on plain tables so that a faulty part hides no other."""

from crmlab.contracts import InputError
from crmlab.contracts.settings import read_settings
from crmlab.service_quality.tables.scales import Outcome, Scale, listed, scale_faults

MEASURES = ("expect", "perceive", "adequate", "importance", "standard", "promise")


def _tables(raw, name):
    """A table of the raw file: name -> value, of those that are of the kind they should be."""
    kind = list if name == "dimensions" else str if name == "points" else dict
    given = raw.get(name)
    return {k: v for k, v in given.items() if isinstance(v, kind)} if isinstance(given, dict) else {}


def relations(raw):
    """What is wrong between the parts of an instrument, whatever else is wrong within them."""
    dimensions, items, points = (_tables(raw, name) for name in ("dimensions", "items", "points"))
    broken = isinstance(raw.get("dimensions"), dict) and len(dimensions) < len(raw["dimensions"])
    known = raw.get("items", {})  # whatever they are, they are there
    claims = {name: [d for d, names in dimensions.items() for n in names if n == name] for name in items}
    for name, item in items.items():
        own = item.get("dimension")
        claimed = claims[name] + ([own] if own and own not in claims[name] else [])
        if len(claimed) > 1:
            yield f"items.{name}: stands in {len(claimed)} dimensions ({', '.join(claimed)}); keep it in one"
        elif not claims[name] and not broken:
            yield f"items.{name}: stands in no dimension; add it to one of {', '.join(dimensions) or '[dimensions]'}"
        if not any(item.get(measure) for measure in MEASURES):
            yield f"items.{name}: has no column; give it expect or perceive"
    for dimension, names in dimensions.items():
        if dimension.casefold() in ("overall", "all items"):
            yield f"dimensions.{dimension}: this name is taken for the whole; choose another"
        if not names:
            yield f"dimensions.{dimension}: has no items; list some, or drop it"
        if isinstance(known, dict) and (unknown := [n for n in dict.fromkeys(map(str, names)) if n not in known]):
            yield f"dimensions.{dimension}: names {listed(unknown)}, which [items] does not have; add or drop them"
    if not dimensions and isinstance(raw.get("dimensions"), dict):
        yield "dimensions: there are none; list the items of at least one"
    if points and not broken and (difference := set(points) ^ set(dimensions)):
        yield f"points: [points] and [dimensions] differ in {listed(difference)}; give each dimension its points"
    yield from _columns_used_twice(raw, items, points)
    yield from _outcomes(raw)


def _outcomes(raw):
    """What is wrong with outcomes that take the codes of the common scale, where both are sound by themselves."""
    for name, fields in _tables(raw, "outcomes").items():
        try:
            outcome = read_settings(Outcome, fields, name)
            scale = read_settings(Scale, raw.get("scale"), "scale")
        except InputError:
            continue
        if outcome.missing is None:
            yield from (f"outcomes.{name}: {line}" for line in scale_faults(outcome.with_codes_of(scale).model_dump()))


def _columns_used_twice(raw, items, points):
    """Columns that more than one key of the instrument names."""
    design = raw.get("design") if isinstance(raw.get("design"), dict) else {}
    by_kind = isinstance(design.get("long"), dict) and design["long"].get("kind")
    used = [(item.get(m), f"items.{name}.{m}", m if by_kind else "") for name, item in items.items() for m in MEASURES]
    for name, outcome in _tables(raw, "outcomes").items():
        several = outcome.get("columns")
        columns = [outcome.get("column"), *(several if isinstance(several, (list, tuple)) else ())]
        used += [(column, f"outcomes.{name}", "") for column in columns]
    used += [(column, f"points.{dimension}", "") for dimension, column in points.items()]
    used += [(design.get(use), f"design.{use}", "") for use in ("respondent", "weight", "wave", "audience")]
    keys: dict[tuple[str, str], list[str]] = {}
    for column, key, kind in used:
        if isinstance(column, str) and column:
            keys.setdefault((column, kind), []).append(key)
    for (column, _kind), named in keys.items():
        if len(named) > 1:
            yield f"column {column!r} is used {len(named)} times ({', '.join(named)}); keep one"
