"""Draw the frames of this domain: each function has the name of the one whose frame it draws."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
