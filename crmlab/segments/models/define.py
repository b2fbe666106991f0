"""The schemes that a report compares, as a policy and a scorecard define them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import ibis.expr.types as ir

from crmlab.dataset import Data
from crmlab.estimate import Estimate
from crmlab.model import Unfitted, why_blank
from crmlab.orders import rows
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.clusters import GaussianMixture, Hierarchical, KMeans
from crmlab.segments.models.eight_classes import EightClasses
from crmlab.segments.models.index_system import IndexSystem
from crmlab.segments.models.rfm import RFM, RFMTiers
from crmlab.segments.models.scheme import Scheme
from crmlab.segments.models.value_matrix import ValueMatrix
from crmlab.segments.tables.playbook import Policy
from crmlab.segments.tables.scorecard import Scorecard

CLUSTERS = (KMeans, GaussianMixture, Hierarchical)


def define_schemes(
    policy: Policy, card: Scorecard, clusters: int | Estimate = 4, margin: float = 1.0
) -> dict[str, Callable[..., Any]]:
    """The schemes of the report, by name: what fits each to features, on any day and to any draw of customers.

    Parameters
    ----------
    policy : Policy
        Of `load_policy`: where classes end, as far as that is not learned from customers.
    card : Scorecard
        Of `load_scorecard`: the indicators of the index system.
    clusters : int or Estimate
        Number of clusters; where it is blank, the clusters are Unfitted with its reason.
    margin : float
        Share of spend that is profit.

    Returns
    -------
    dict
        abc, rfm, rfm nested, rfm_tiers, value_matrix, eight_classes, the index system by the name of its scorecard as
        index_system, k-means, mixture and hierarchical, each -> a function of features.

    Examples
    --------
    >>> from crmlab import segments
    >>> policy, card = segments.load_policy("data/playbook.toml"), segments.load_scorecard("data/scorecard.toml")
    >>> list(segments.define_schemes(policy, card))[:4]
    ['abc', 'rfm', 'rfm nested', 'rfm_tiers']
    """
    found: dict[str, Callable[..., Any]] = {
        "abc": partial(ABC.fit, cuts=policy.cuts.abc),
        "rfm": RFM.fit,
        "rfm nested": partial(RFM.fit, nested=True),
        "rfm_tiers": RFMTiers.fit,
        "value_matrix": partial(ValueMatrix.fit, margin=margin, **policy.cuts.matrix),
        "eight_classes": partial(EightClasses.fit, margin=margin, **policy.cuts.classes),
        "index_system": partial(IndexSystem.fit, scorecard=card),
    }
    k = clusters.value if isinstance(clusters, Estimate) else clusters
    for kind in CLUSTERS:
        found[kind.name] = partial(_unfitted, kind, why_blank(clusters)) if k is None else partial(kind.fit, k=int(k))
    return found


def treated_schemes(orders: Data | ir.Table) -> tuple[type[Scheme], ...]:
    """The schemes that a playbook must treat.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.

    Returns
    -------
    tuple of type
        The value matrix, and the eight classes where stores are known.
    """
    return (ValueMatrix, EightClasses) if "store_id" in rows(orders).columns else (ValueMatrix,)


def _unfitted(kind: type[Scheme], reason: str, _features: Any) -> Unfitted:
    return Unfitted(kind, reason)
