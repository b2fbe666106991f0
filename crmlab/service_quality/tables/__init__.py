"""Surveys and their instruments, read and checked."""

from crmlab.service_quality.tables.instrument import AUDIENCES, MEASURES, Instrument, Item, load_instrument
from crmlab.service_quality.tables.scaffold import draft_instrument
from crmlab.service_quality.tables.scales import Outcome, Scale
from crmlab.service_quality.tables.survey import Survey, read_survey, validate_survey

__all__ = [
    "AUDIENCES",
    "MEASURES",
    "Instrument",
    "Item",
    "Outcome",
    "Scale",
    "Survey",
    "draft_instrument",
    "load_instrument",
    "read_survey",
    "validate_survey",
]
