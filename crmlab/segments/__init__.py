"""Segment evaluation: many schemes, one holdout, no favourites.

Words of this domain:

features    one row a customer as of a day: orders, spend, days_since_last, age, and those of the last window_days
scheme      a set of rules; `fit` learns its cuts from features, `assign` gives every customer a class, best first, and
            `rules` says how in words
window      the last window_days up to a day; *current* value is the margin of the window
potential   expected discounted margin over as long a time, less current value, plus what else is declared
home store  where a customer has spent most; its strength leaves out the customer's own purchases
claimed     of clusters: more separate, and more surely found again, than in customers of one kind
useful      foretells later spend, orders or activity; beside continuous rules, which need no segments
playbook    what is done about each class: principle, owner, share of the budget, measure of success
"""

from crmlab.segments.models.abc import ABC
from crmlab.segments.models.brand_loyalty import BrandLoyalty
from crmlab.segments.models.clusters import GaussianMixture, Hierarchical, KMeans
from crmlab.segments.models.eight_classes import EightClasses
from crmlab.segments.models.index_system import IndexSystem
from crmlab.segments.models.rfm import RFM, RFMTiers
from crmlab.segments.models.value_matrix import ValueMatrix

CLUSTERS = (KMeans, GaussianMixture, Hierarchical)

__all__ = [
    "ABC",
    "CLUSTERS",
    "RFM",
    "BrandLoyalty",
    "EightClasses",
    "GaussianMixture",
    "Hierarchical",
    "IndexSystem",
    "KMeans",
    "RFMTiers",
    "ValueMatrix",
]
