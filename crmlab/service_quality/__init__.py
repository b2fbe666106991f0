"""Service quality: how far what customers perceive falls short of what they expect, and why.

Words of this domain:

expect, perceive   what a customer expects of a good service, and finds at this one; on the scale of the instrument
gap                perceive - expect: a shortfall is negative
adequate           the least a customer would accept; with the desired level it bounds the zone of tolerance
standard, promise  the level that managers set and that advertising promises, or ratings of the extent to which they do
audience           who answered: customer, manager or staff
driver             what moves satisfaction; its share is that of R², over all orders of entry
decision           a quadrant in which at least 80 % of replicates agree, else "undecided"
loyal              whoever gives the highest answer on loyalty, unless `loyal_from` is given
"""

from crmlab.surface import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
