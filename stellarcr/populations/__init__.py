"""What injects: supernova remnants, stellar winds, cluster winds, a nearby Type Ia remnant; and what users add."""

from .base import ParameterInfo, Population, abundance_parameters
from .composition import Composition
from .extension import population_builder
from .reference import POPULATION_KINDS, build_population
from .spectra import broken_power_law, column, power_law

__all__ = [
    "POPULATION_KINDS",
    "Composition",
    "ParameterInfo",
    "Population",
    "abundance_parameters",
    "broken_power_law",
    "build_population",
    "column",
    "population_builder",
    "power_law",
]
