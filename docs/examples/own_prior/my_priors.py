"""A prior of one's own."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ramp:
    """A density that rises linearly from zero at ``low`` to its largest value at ``high``."""

    low: float
    high: float

    @property
    def support(self):
        """Lower and upper edge."""
        return self.low, self.high

    def logpdf(self, x):
        """Natural logarithm of 2 (x - low) / (high - low)^2."""
        return np.log(2.0 * (x - self.low)) - 2.0 * math.log(self.high - self.low)

    def cdf(self, x):
        """Probability below x."""
        return ((x - self.low) / (self.high - self.low)) ** 2

    def ppf(self, u):
        """Value below which the probability is u."""
        return self.low + (self.high - self.low) * np.sqrt(u)

    @property
    def width(self):
        """Standard deviation."""
        return (self.high - self.low) / math.sqrt(18.0)
