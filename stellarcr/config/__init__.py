"""A run, described by one TOML file or the same in Python.

A configuration names the Galaxy, the source populations, which parameters are free with which priors, the experiments,
the sampler and the output. `RunConfig` validates its form; `build_posterior` turns it into something to sample.
"""

from ..likelihood.schema import LikelihoodFile
from .building import build_collapsed, build_model, build_posterior, load_data
from .parameters import build_space, flatten_parameters
from .records import fingerprint, resolved_toml
from .schema import (
    ConstraintConfig,
    GridConfig,
    OutputConfig,
    PopulationConfig,
    RunConfig,
    config_from_mapping,
    load_config,
)

__all__ = [
    "ConstraintConfig",
    "GridConfig",
    "LikelihoodFile",
    "OutputConfig",
    "PopulationConfig",
    "RunConfig",
    "build_collapsed",
    "build_model",
    "build_posterior",
    "build_space",
    "config_from_mapping",
    "fingerprint",
    "flatten_parameters",
    "load_config",
    "load_data",
    "resolved_toml",
]
