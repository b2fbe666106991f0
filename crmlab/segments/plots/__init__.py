"""Plots of what schemes of segments are and find: each draws the frame of the function it is named for."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
