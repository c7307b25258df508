"""The forward model: parameters to spectra at Earth, by population and nuclide."""

from .forward import ForwardModel
from .names import LOG10, log_name, plain_name
from .sources import injected_amplitude

__all__ = ["LOG10", "ForwardModel", "injected_amplitude", "log_name", "plain_name"]
