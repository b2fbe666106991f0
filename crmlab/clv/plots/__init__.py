"""Draw the frames of this package: each plot is named as the function that makes its frame."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
