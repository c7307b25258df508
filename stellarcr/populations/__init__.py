"""What injects: supernova remnants, stellar winds, cluster winds, a nearby Type Ia remnant."""

from .base import ParameterInfo, Population
from .composition import Composition
from .reference import POPULATION_KINDS, build_population

__all__ = ["POPULATION_KINDS", "Composition", "ParameterInfo", "Population", "build_population"]
