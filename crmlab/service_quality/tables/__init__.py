"""Surveys and their instruments, read and checked."""

from crmlab.service_quality.tables.instrument import AUDIENCES, MEASURES, Instrument, Item, Outcome, Scale
from crmlab.service_quality.tables.survey import Survey

__all__ = ["AUDIENCES", "MEASURES", "Instrument", "Item", "Outcome", "Scale", "Survey"]
