"""The forward model: parameters to spectra at Earth, by population and nuclide."""

from .forward import ForwardModel
from .names import LOG10, log_name, plain_name
from .sources import injected_amplitude, injected_energy

__all__ = ["LOG10", "ForwardModel", "injected_amplitude", "injected_energy", "log_name", "plain_name"]
