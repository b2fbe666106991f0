"""Surveys and their instruments, read and checked."""

from crmlab.service_quality.tables.instrument import AUDIENCES, MEASURES, Instrument, Item, load
from crmlab.service_quality.tables.scaffold import scaffold
from crmlab.service_quality.tables.scales import Outcome, Scale
from crmlab.service_quality.tables.survey import Survey, admit, read

__all__ = [
    "AUDIENCES",
    "MEASURES",
    "Instrument",
    "Item",
    "Outcome",
    "Scale",
    "Survey",
    "admit",
    "load",
    "read",
    "scaffold",
]
