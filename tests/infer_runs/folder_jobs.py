"""Short runs of a toy posterior into a folder. A module of its own, shared by several tests."""

from infer_toys import Gaussian

from stellarcr.infer.runs import execute
from stellarcr.infer.samplers.map import MapSettings

SHORT = {"walkers": 16, "max_steps": 60, "check_every": 20, "seed": 7}
SEARCH = MapSettings(starts=1, generations=60, population=24)
CONFIG = """
[model]
snr = {gamma = -2.4, power = 1e48}

[[data]]
name = "AMS-02"
range = [20.0, 2000.0]

[sampler]
max_steps = 60
"""


def go(folder, problem=None, settings=None, **options):
    options = {"quiet": True, "config_text": CONFIG, "map_settings": SEARCH} | options
    return execute(problem or Gaussian(2), options.pop("sampler", "emcee"), settings or SHORT, folder, **options)


class Drifted(Gaussian):
    """Another likelihood under the old fingerprint, as after an edit of the code."""

    @property
    def fingerprint(self):
        return Gaussian(2).fingerprint

    def log_likelihood(self, theta):
        return super().log_likelihood(theta) * (1 + 1e-6)
