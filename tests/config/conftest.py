"""A user's own population and prior in a folder outside the checkout."""

import pytest

SOURCES = """
from stellarcr.backend import namespace
from stellarcr.populations import ParameterInfo, Population, column
from my_numbers import INDEX


def wind(composition, isotopes, cutoff=1e5):
    def shape(rigidity, parameters):
        xp = namespace(rigidity, *parameters.values())
        return xp.exp(column(parameters["gamma"]) * xp.log(rigidity) - rigidity / cutoff)

    parameters = (
        ParameterInfo("power", 1e46, "erg/yr", "P", "example"),
        ParameterInfo("gamma", INDEX, "", "g", "example"),
    )
    return Population("wind", "W", composition, parameters, shape, isotopes=isotopes)
"""

PRIORS = """
import numpy as np


class Ramp:
    def __init__(self, low, high=1.0):
        self.low, self.high, self.support = low, high, (low, high)

    def logpdf(self, x):
        return np.log(2.0 * (x - self.low)) - 2.0 * np.log(self.high - self.low)

    def cdf(self, x):
        return ((x - self.low) / (self.high - self.low)) ** 2

    def ppf(self, u):
        return self.low + (self.high - self.low) * np.sqrt(u)
"""

COMPOSITION = """# %ECSV 1.0
# ---
# datatype:
# - {name: element, datatype: string}
# - {name: mass_number, datatype: int64}
# - {name: number_fraction, datatype: float64}
# meta: !!omap
# - {schema: stellarcr-composition/1}
# - {name: mine}
# - reference: {text: example values}
# schema: astropy-2.0
element mass_number number_fraction
H 1 0.9
He 3 0.01
He 4 0.09
"""

CONFIG = """
name = "mine"
[galaxy]
geometry = "slab"
[populations.wind]
kind = "./my_sources.py:wind"
composition = "mine.ecsv"
isotopes = "given"
options = { cutoff = 2e5 }
[parameters.wind]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma = { prior = "./my_priors.py:Ramp", low = -2.8, high = -2.1 }
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "map"
starts = 1
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a folder with a configuration, sources, priors and a composition; the working folder is another."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, text in {
        "my_sources.py": SOURCES,
        "my_numbers.py": "INDEX = -2.0\n",
        "my_priors.py": PRIORS,
        "mine.ecsv": COMPOSITION,
        "run.toml": CONFIG,
    }.items():
        (folder / name).write_text(text)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return folder


@pytest.fixture
def replace_in():
    """Return a function that replaces text in a file."""

    def replace(path, old, new):
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return replace
