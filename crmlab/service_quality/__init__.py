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

from crmlab.service_quality.metrics import format_table, gap_facts, loyalty_facts, response_frequencies
from crmlab.service_quality.models.antecedents import gap_antecedents
from crmlab.service_quality.models.asymmetry import asymmetric_impact, penalty_reward_contrasts
from crmlab.service_quality.models.board import gaps_model
from crmlab.service_quality.models.careless import (
    careless_responding,
    careless_sensitivity,
    careless_sensitivity_by_flag,
    flag_counts,
    robust_to_careless_responding,
)
from crmlab.service_quality.models.complaints import complaint_resolution, resolution_ratios
from crmlab.service_quality.models.confirm import CFA, confirmatory_factor_analysis, measurement_model
from crmlab.service_quality.models.difference import difference_score_reliability, gap_reliability
from crmlab.service_quality.models.drivers import key_drivers, relative_importance
from crmlab.service_quality.models.factors import (
    Factors,
    discriminant_validity,
    exploratory_factor_analysis,
    factor_structure,
    htmt,
    parallel_analysis,
)
from crmlab.service_quality.models.gaps import (
    gap_scores,
    perception_scores,
    service_adequacy,
    service_superiority,
)
from crmlab.service_quality.models.loyalty import (
    loyal_share_by_level,
    loyalty_by_satisfaction,
    net_promoter_score,
    promoter_shares,
    top_box_more_loyal,
)
from crmlab.service_quality.models.predictor import (
    PolynomialRegression,
    polynomial_regression,
    satisfaction_predictor,
)
from crmlab.service_quality.models.priorities import (
    importance_performance_analysis,
    improvement_priorities,
)
from crmlab.service_quality.models.reliability import (
    alpha_if_item_deleted,
    item_analysis,
    reliability_coefficients,
    scale_reliability,
)
from crmlab.service_quality.models.satisfaction import importance_weighted_scores, satisfaction_index
from crmlab.service_quality.models.segments import all_segment_gap_scores, segment_gap_scores
from crmlab.service_quality.models.weighting import weighted_gap_scores, weighted_gap_summary
from crmlab.service_quality.models.zone import zone_of_tolerance
from crmlab.service_quality.tables import (
    Instrument,
    Item,
    Outcome,
    Scale,
    Survey,
    draft_instrument,
    load_instrument,
    read_survey,
    validate_survey,
)

__all__ = [
    "CFA",
    "Factors",
    "Instrument",
    "Item",
    "Outcome",
    "PolynomialRegression",
    "Scale",
    "Survey",
    "all_segment_gap_scores",
    "alpha_if_item_deleted",
    "asymmetric_impact",
    "careless_responding",
    "careless_sensitivity",
    "careless_sensitivity_by_flag",
    "complaint_resolution",
    "confirmatory_factor_analysis",
    "difference_score_reliability",
    "discriminant_validity",
    "draft_instrument",
    "exploratory_factor_analysis",
    "factor_structure",
    "flag_counts",
    "format_table",
    "gap_antecedents",
    "gap_facts",
    "gap_reliability",
    "gap_scores",
    "gaps_model",
    "htmt",
    "importance_performance_analysis",
    "importance_weighted_scores",
    "improvement_priorities",
    "item_analysis",
    "key_drivers",
    "load_instrument",
    "loyal_share_by_level",
    "loyalty_by_satisfaction",
    "loyalty_facts",
    "measurement_model",
    "net_promoter_score",
    "parallel_analysis",
    "penalty_reward_contrasts",
    "perception_scores",
    "polynomial_regression",
    "promoter_shares",
    "read_survey",
    "relative_importance",
    "reliability_coefficients",
    "resolution_ratios",
    "response_frequencies",
    "robust_to_careless_responding",
    "satisfaction_index",
    "satisfaction_predictor",
    "scale_reliability",
    "segment_gap_scores",
    "service_adequacy",
    "service_superiority",
    "top_box_more_loyal",
    "validate_survey",
    "weighted_gap_scores",
    "weighted_gap_summary",
    "zone_of_tolerance",
]
