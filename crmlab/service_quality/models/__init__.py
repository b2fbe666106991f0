"""What a survey of service quality says: gaps, instruments judged, priorities, loyalty."""

from crmlab.service_quality.models.asymmetry import penalty_reward, survey_penalty_reward
from crmlab.service_quality.models.complaints import complaints, survey_complaints
from crmlab.service_quality.models.confirm import CFA, cfa, survey_cfa
from crmlab.service_quality.models.difference import difference_reliability, survey_difference_reliability
from crmlab.service_quality.models.drivers import drivers, survey_drivers
from crmlab.service_quality.models.factors import Factors, efa, htmt, parallel_analysis, survey_efa, survey_htmt
from crmlab.service_quality.models.loyalty import loyalty_by_level, nps, survey_loyalty, survey_nps, top_box
from crmlab.service_quality.models.predictor import Predictor, predictor, survey_predictor
from crmlab.service_quality.models.priorities import priorities, survey_priorities
from crmlab.service_quality.models.reliability import (
    alpha_if_deleted,
    reliability,
    survey_alpha_if_deleted,
    survey_reliability,
)
from crmlab.service_quality.models.satisfaction import (
    satisfaction_scores,
    survey_satisfaction,
)

__all__ = [
    "CFA",
    "Factors",
    "Predictor",
    "alpha_if_deleted",
    "cfa",
    "complaints",
    "difference_reliability",
    "drivers",
    "efa",
    "htmt",
    "loyalty_by_level",
    "nps",
    "parallel_analysis",
    "penalty_reward",
    "predictor",
    "priorities",
    "reliability",
    "satisfaction_scores",
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
]
