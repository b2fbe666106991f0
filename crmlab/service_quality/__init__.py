"""Service quality: how far what customers perceive falls short of what they expect, and why.

Words of this domain:

expect, perceive   what a customer expects of a good service, and finds at this one; on the scale of the instrument
gap                perceive - expect: a shortfall is negative
adequate           the least a customer would accept; with the desired level it bounds the zone of tolerance
standard, promise  the level that managers set and that advertising promises, or ratings of the extent to which they do
audience           who answered: customer, manager or staff
driver             what moves satisfaction; its share is that of R², over all orders of entry
decision           a quadrant in which at least 80 % of replicates agree, else "undecided"
loyal              whoever gives the highest answer on loyalty, unless told otherwise
"""

from crmlab.service_quality.metrics import answers, brief, gap_facts, loyalty_facts
from crmlab.service_quality.models.antecedents import antecedents
from crmlab.service_quality.models.asymmetry import penalty_reward, survey_penalty_reward
from crmlab.service_quality.models.board import board
from crmlab.service_quality.models.careless import careless, flags, sensitivities, sensitivity, stands
from crmlab.service_quality.models.complaints import complaints, survey_complaints
from crmlab.service_quality.models.confirm import CFA, cfa, survey_cfa
from crmlab.service_quality.models.difference import difference_reliability, survey_difference_reliability
from crmlab.service_quality.models.drivers import drivers, survey_drivers
from crmlab.service_quality.models.factors import Factors, efa, htmt, parallel_analysis, survey_efa, survey_htmt
from crmlab.service_quality.models.gaps import adequacy, gaps, perceptions, superiority
from crmlab.service_quality.models.loyalty import loyalty_by_level, nps, survey_loyalty, survey_nps, top_box
from crmlab.service_quality.models.predictor import Predictor, predictor, survey_predictor
from crmlab.service_quality.models.priorities import priorities, survey_priorities
from crmlab.service_quality.models.reliability import (
    alpha_if_deleted,
    reliability,
    survey_alpha_if_deleted,
    survey_reliability,
)
from crmlab.service_quality.models.satisfaction import satisfaction_scores, survey_satisfaction
from crmlab.service_quality.models.segments import gaps_by_segment, segment_gaps
from crmlab.service_quality.models.weighting import explained, weighted_gaps
from crmlab.service_quality.models.zone import zone
from crmlab.service_quality.tables import Instrument, Item, Outcome, Scale, Survey, admit, load, read, scaffold

__all__ = [
    "CFA",
    "Factors",
    "Instrument",
    "Item",
    "Outcome",
    "Predictor",
    "Scale",
    "Survey",
    "adequacy",
    "admit",
    "alpha_if_deleted",
    "answers",
    "antecedents",
    "board",
    "brief",
    "careless",
    "cfa",
    "complaints",
    "difference_reliability",
    "drivers",
    "efa",
    "explained",
    "flags",
    "gap_facts",
    "gaps",
    "gaps_by_segment",
    "htmt",
    "load",
    "loyalty_by_level",
    "loyalty_facts",
    "nps",
    "parallel_analysis",
    "penalty_reward",
    "perceptions",
    "predictor",
    "priorities",
    "read",
    "reliability",
    "satisfaction_scores",
    "scaffold",
    "segment_gaps",
    "sensitivities",
    "sensitivity",
    "stands",
    "superiority",
    "survey_alpha_if_deleted",
    "survey_cfa",
    "survey_complaints",
    "survey_difference_reliability",
    "survey_drivers",
    "survey_efa",
    "survey_htmt",
    "survey_loyalty",
    "survey_nps",
    "survey_penalty_reward",
    "survey_predictor",
    "survey_priorities",
    "survey_reliability",
    "survey_satisfaction",
    "top_box",
    "weighted_gaps",
    "zone",
]
