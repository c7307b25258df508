"""What happens on the way: diffusion, geometry, destruction, nearby sources."""

from .galaxy import Galaxy
from .profiles import PROFILES, SourceProfile, source_profile

__all__ = ["PROFILES", "Galaxy", "SourceProfile", "source_profile"]
