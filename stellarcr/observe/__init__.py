"""What reaches a detector: solar modulation, axes, bins, sums, mean logarithmic mass."""

from .axes import AXES, detector_kernel, from_rigidity, rigidity
from .composition import mean_log_mass
from .grid import RigidityGrid
from .modulation import force_field
from .response import Points, response_matrix, tabulate_response

__all__ = [
    "AXES",
    "Points",
    "RigidityGrid",
    "detector_kernel",
    "force_field",
    "from_rigidity",
    "mean_log_mass",
    "response_matrix",
    "rigidity",
    "tabulate_response",
]
