"""Amplitudes of a population integrated out of the posterior, and drawn again afterwards.

``gaussian`` holds the mathematics, ``prior`` the prior of the amplitudes, ``design`` the linear model, ``posterior``
what samplers see, and ``restored`` what a run writes.
"""

from __future__ import annotations

from .posterior import CollapsedPosterior

__all__ = ["CollapsedPosterior"]
