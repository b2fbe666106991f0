"""The instrument file of a simulated survey: what retailers were asked about their wholesale supplier."""

import json
from typing import Any

from crmlab.simulate.survey import MISSING, NOT_APPLICABLE

WORDING = (  # in the order of SERVQUAL's five dimensions, in words of our own
    "The warehouse and its vehicles are modern",
    "The order desk and the showroom look inviting",
    "Sales representatives are neatly dressed",
    "Price lists and delivery notes are easy to read",
    "Goods arrive on the day that was promised",
    "Problems with an order are taken seriously",
    "Orders are right the first time",
    "What is ordered is in stock",
    "Invoices are free of errors",
    "I am told exactly when goods will come",
    "Calls are answered at once",
    "Staff are always willing to help",
    "Complaints are answered within a day",
    "I can trust the representative's advice",
    "I feel safe in paying in advance",
    "Staff are polite",
    "Staff know their products",
    "The supplier knows my shop",
    "Delivery hours suit my hours",
    "Someone is responsible for me by name",
    "My interests come first",
    "Small orders are served as well as large ones",
)
OUTCOMES = """
[outcomes.satisfaction]
column = "satisfaction"
kind = "satisfaction"
low = 1
high = 5
text = "All in all, how satisfied are you?"

[outcomes.repurchase]
column = "repurchase"
kind = "loyalty"
low = 0
high = 1
text = "Will you keep this supplier next year?"

[outcomes.recommend]
column = "recommend"
kind = "recommend"
low = 0
high = 10
text = "How likely are you to recommend the supplier to another retailer?"

[outcomes.complained]
column = "complained"
kind = "complaint"
low = 0
high = 1
labels = { yes = 1, no = 0 }
text = "Did you complain?"

[outcomes.resolved]
column = "resolved"
kind = "resolved"
low = 0
high = 1
labels = { yes = 1, no = 0 }
text = "Was your complaint resolved?"

[outcomes.word_of_mouth]
column = "word_of_mouth"
kind = "word_of_mouth"
low = 0
text = "How many others did you tell of your experience?"

[outcomes.buying]
column = "buying"
kind = "buying"
low = -2
high = 2
labels = { stopped = -2, less = -1, same = 0, more = 1, "much more" = 2 }
text = "How has your buying changed since?"
"""


def instrument_toml(world: Any, name: str = "simulated_survey", title: str = "A simulated survey") -> str:
    """The TOML text of the instrument that reads a survey of `world`; its first line says that it is simulated."""
    items, toml = world.items, json.dumps  # a JSON text is a TOML text
    dimensions = {d: [f"Q{i}" for i, owner in items.items() if owner == d] for d in world.dimensions}
    wording = WORDING if len(items) == len(WORDING) else [f"Statement {i}" for i in items]
    lines = [
        "# Simulated, not real: planted and written by crmlab; no customer was asked.",
        f"name = {toml(name)}",
        f"title = {toml(title)}",
        'data_kind = "simulated"',
        *("", "[scale]", f"low = {world.low}", f"high = {world.high}"),
        *(f"missing = [{MISSING}]", f"not_applicable = [{NOT_APPLICABLE}]"),
        *("", "[scales.standard] # managers: how far standards are set; staff: how far they are met"),
        *(f"low = {world.low}", f"high = {world.high}", "extent = true"),
        *("", "[scales.promise] # staff: how far what is promised is kept"),
        *(f"low = {world.low}", f"high = {world.high}", "extent = true"),
        *("", "[dimensions]", *(f"{d} = {toml(names)}" for d, names in dimensions.items())),
        *("", "[points]", *(f'{d} = "W{k}"' for k, d in enumerate(dimensions, 1))),
    ]
    for (i, _), text in zip(items.items(), wording, strict=True):
        lines += ["", f"[items.Q{i}]", f"text = {toml(text)}", f'expect = "E{i}"', f'perceive = "P{i}"']
        lines += [f'adequate = "A{i}"'] if world.adequate is not None else []
        lines += [f'standard = "S{i}"', f'promise = "R{i}"']
    lines += ["", "[design]", 'respondent = "id"', 'weight = "weight"', 'wave = "wave"', 'audience = "audience"']
    lines += ['segments = ["region"]', "", "[conventions]", 'gap = "P-E"', 'overall = "mean of dimensions"']
    lines += ["desired = true"] if world.adequate is not None else []
    return "\n".join(lines) + "\n" + OUTCOMES
