"""Service quality: how far what customers perceive falls short of what they expect, and why.

Words of this domain:

expect, perceive   what a customer expects of a good service, and finds at this one; on the scale of the instrument
gap                perceive - expect: a shortfall is negative
adequate           the least a customer would accept; with the desired level it bounds the zone of tolerance
standard, promise  the level that managers set and that advertising promises, or ratings of the extent to which they do
audience           who answered: customer, manager or staff
"""

from crmlab.service_quality.tables import Instrument, Item, Outcome, Scale, Survey

__all__ = ["Instrument", "Item", "Outcome", "Scale", "Survey"]
