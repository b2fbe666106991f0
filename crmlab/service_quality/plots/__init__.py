"""Draw the frames of `models` and `metrics`."""

from crmlab.service_quality.plots.answers import response_frequencies
from crmlab.service_quality.plots.board import gaps_model, segment_gap_scores
from crmlab.service_quality.plots.gaps import gap_radar, gap_scores, perception_scores, zone_of_tolerance
from crmlab.service_quality.plots.loyalty import complaint_resolution, loyalty_by_satisfaction, satisfaction_index
from crmlab.service_quality.plots.priorities import asymmetric_impact, improvement_priorities, key_drivers

__all__ = [
    "asymmetric_impact",
    "complaint_resolution",
    "gap_radar",
    "gap_scores",
    "gaps_model",
    "improvement_priorities",
    "key_drivers",
    "loyalty_by_satisfaction",
    "perception_scores",
    "response_frequencies",
    "satisfaction_index",
    "segment_gap_scores",
    "zone_of_tolerance",
]
