"""Terminal velocities of Wolf-Rayet winds of one's own. The numbers come from no publication."""

import numpy as np


def core_winds(surface):
    """Give 1.6 times the escape speed from the core, but never more than the fastest observed wind [km/s]."""
    return np.minimum(1.6 * surface.core_escape_velocity, 5500.0)
