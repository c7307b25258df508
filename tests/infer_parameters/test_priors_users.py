"""A user's own prior is refused when it is loaded, if it is no normalised density or contradicts itself."""

import pytest

from stellarcr.errors import ParameterError
from stellarcr.infer.priors import prior_from_mapping

RIGHT = """
import math
import numpy as np

class Ramp:
    def __init__(self, low, high):
        self.low, self.high, self.support = low, high, (low, high)
    def logpdf(self, x):
        return np.log(2.0 * (x - self.low)) - 2.0 * math.log(self.high - self.low)
    def cdf(self, x):
        return ((x - self.low) / (self.high - self.low)) ** 2
    def sf(self, x):
        return 1.0 - self.cdf(x)
    def ppf(self, u):
        return self.low + (self.high - self.low) * np.sqrt(u)
    def isf(self, q):
        return self.ppf(1.0 - q)
"""

# What is replaced by what, and words of the message.
WRONG = {
    "density a thousandth too high": ("np.log(2.0 *", "np.log(2.002 *", "integral of exp"),
    "density without its width": (" - 2.0 * math.log(self.high - self.low)", "", "integral of exp"),
    "density in decades": ("np.log(", "np.log10(", "integral of exp"),
    "density of another shape": ("2.0 * (x - self.low)", "2.0 * (self.high - x)", "integral of exp"),
    "quantiles of a uniform density": ("np.sqrt(u)", "u", r"cdf\(ppf\(u\)\)"),
    "quantiles with a slight error": ("np.sqrt(u)", "np.sqrt(u) * (1.0 - 1e-5)", r"cdf\(ppf\(u\)\)"),
    "quantiles that fall": ("np.sqrt(u)", "np.sqrt(1.0 - u)", "does not rise"),
    "upper tail of another distribution": ("1.0 - self.cdf(x)", "1.0 - self.cdf(x) ** 2", r"sf\(ppf\(u\)\)"),
    "upper quantiles from below": ("self.ppf(1.0 - q)", "self.ppf(q)", r"isf\(sf\(x\)\)"),
    "support too narrow": ("(low, high)\n", "(low, 0.5 * (low + high))\n", "leave the support"),
    "support reversed": ("(low, high)\n", "(high, low)\n", "is empty"),
    "one point at a time": ("return ((x", "return float((x", "cdf fails"),
    "NaN in the density": ("return np.log(", "return math.nan * np.log(", "logpdf is NaN"),
}


def load(folder, text):
    (folder / "mine.py").write_text(text)
    return prior_from_mapping({"kind": f"{folder}/mine.py:Ramp", "low": -2.8, "high": -2.1}, where="run.toml: here")


def test_right_prior_is_taken(tmp_path):
    assert load(tmp_path, RIGHT).cdf(-2.45) == pytest.approx(0.25)


@pytest.mark.parametrize(("old", "new", "words"), WRONG.values(), ids=WRONG)
def test_wrong_prior_is_refused(tmp_path, old, new, words):
    assert old in RIGHT
    with pytest.raises(ParameterError, match=words) as caught:
        load(tmp_path, RIGHT.replace(old, new))
    assert "Ramp" in str(caught.value)
    assert "run.toml: here" in caught.value.where
    assert caught.value.remedy
