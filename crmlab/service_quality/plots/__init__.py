"""Draw the frames of `models` and `metrics`."""

from crmlab.service_quality.plots.answers import answers
from crmlab.service_quality.plots.board import board, segment_gaps
from crmlab.service_quality.plots.gaps import gaps, perceptions, radar, zone
from crmlab.service_quality.plots.loyalty import complaints, loyalty_by_level, satisfaction_scores
from crmlab.service_quality.plots.priorities import drivers, penalty_reward, priorities

__all__ = [
    "answers",
    "board",
    "complaints",
    "drivers",
    "gaps",
    "loyalty_by_level",
    "penalty_reward",
    "perceptions",
    "priorities",
    "radar",
    "satisfaction_scores",
    "segment_gaps",
    "zone",
]
