"""A user's own sampler: what is refused when it is loaded, when it gives its result, and when its code changes."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from infer_toys import Gaussian

from stellarcr.errors import ConfigError, RunError
from stellarcr.infer.runs import execute
from stellarcr.infer.samplers import MemoryStore, get_sampler, settings_from
from stellarcr.infer.samplers.map import MapSettings

EXAMPLE = Path(__file__).parents[2] / "docs/examples/own_sampler/my_sampler.py"
SEARCH = MapSettings(starts=2, generations=40, population=20)

HEAD = """
from dataclasses import dataclass
import numpy as np
from stellarcr.infer.samplers import SamplerResult, SamplerSettings, WeightedSamples

"""
GOOD = """
class Mine:
    settings_type = SamplerSettings

    def run(self, posterior, settings, store, *, start=None):
        samples = posterior.sample_prior(np.random.default_rng(settings.seed), 50)[None]
        values = posterior.log_posterior(samples[0])[None]
        return SamplerResult("Mine", samples, values, True, "converged: it is a toy", 50, 0.1, {})
"""


def sampler(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(HEAD + text, encoding="utf-8")
    return get_sampler(f"{path}:Mine")


def test_good_one_runs(tmp_path):
    mine = sampler(tmp_path, GOOD)
    assert mine.name == "Mine"
    result = mine.run(Gaussian(2), settings_from(mine.settings_type, {"seed": 2}), MemoryStore())
    assert result.samples.shape == (1, 50, 2)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("settings_type = SamplerSettings", "x = 1"), "settings_type = None, which is no subclass of SamplerSettings"),
        (("settings_type = SamplerSettings", "settings_type = dict"), "which is no subclass of SamplerSettings"),
        (("def run(", "def go("), "has no method run"),
        (("posterior, settings, store, *, start=None", "posterior, settings"), "does not take what a sampler gets"),
        (("class Mine:", "class Mine(1):"), "importing it failed"),
        (("class Mine:", "class Mind:"), "there is no 'Mine' in it"),
        (("    def run", "    def __init__(self, size):\n        pass\n\n    def run"), "size not given"),
    ],
)
def test_what_is_no_sampler_is_refused_when_it_is_loaded(tmp_path, change, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        sampler(tmp_path, GOOD.replace(*change))
    assert "mine.py" in caught.value.where + caught.value.problem + caught.value.remedy or "size" in problem
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("class Options(SamplerSettings):\n    steps: int = 5\n", "steps would not be options"),
        ("@dataclass(frozen=True, kw_only=True)\nclass Options(SamplerSettings):\n    steps: int\n", "without options"),
    ],
)
def test_settings_must_be_a_dataclass_with_defaults(tmp_path, head, problem):
    with pytest.raises(ConfigError, match=problem):
        sampler(tmp_path, head + GOOD.replace("settings_type = SamplerSettings", "settings_type = Options"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("return SamplerResult", "return list"), "failed: TypeError"),
        (("return SamplerResult(", "return (lambda *a: a)("), "a tuple instead of a SamplerResult"),
        (('"Mine", samples,', '"Mine", samples[0],'), r"samples of shape \(50, 2\) instead of \(chain, draw, 2\)"),
        (('"Mine", samples,', '"Mine", samples[..., :1],'), r"samples of shape \(1, 50, 1\)"),
        (("values, True", "values[:, 1:], True"), r"log_posterior of shape \(1, 49\)"),
        (("values, True", "values + 1, True"), "log_posterior = .* for a sample where it is"),
        (
            ("0.1, {})", "0.1, {}, nested=WeightedSamples(samples[0], values[0] * 0, values[0], values[0]))"),
            "nested weights with the sum 50 instead of 1",
        ),
        (("0.1, {})", "0.1, {'tau': 3.0})"), r"diagnostics\['tau'\] of shape \(\) instead of \(2,\)"),
        (("samples = ", "samples = 1 / 0\n        samples = "), r"ZeroDivisionError: division by zero \(line \d+ of"),
    ],
)
def test_wrong_results_are_refused(tmp_path, change, problem):
    mine = sampler(tmp_path, GOOD.replace(*change))
    with pytest.raises(RunError, match=problem) as caught:
        mine.run(Gaussian(2), settings_from(mine.settings_type, {}), MemoryStore())
    assert "mine.py" in caught.value.where


def test_options_are_checked_by_name(tmp_path):
    with pytest.raises(ConfigError, match="unknown sampler option 'walker'") as caught:
        settings_from(get_sampler(f"{EXAMPLE}:Differences").settings_type, {"walker": 9})
    assert "walkers" in caught.value.remedy


def test_changed_code_blocks_a_resume_and_a_moved_file_does_not(tmp_path):
    first, second = tmp_path / "one" / "my_sampler.py", tmp_path / "two" / "my_sampler.py"
    for path in (first, second):
        path.parent.mkdir()
        shutil.copy(EXAMPLE, path)
    how = {"folder": tmp_path / "run", "quiet": True, "map_settings": SEARCH}
    part = execute(Gaussian(2), f"{first}:Differences", {"walkers": 20, "max_steps": 50}, **how)
    assert part.manifest["sampler_code"].keys() == {str(first)}
    whole = execute(Gaussian(2), f"{second}:Differences", {"walkers": 20, "max_steps": 80}, resume=True, **how)
    assert whole.summary["diagnostics"]["steps"] == 40
    assert len(np.unique(whole.samples, axis=0)) > 20
    first.write_text(first.read_text() + "\n# changed\n", encoding="utf-8")
    with pytest.raises(RunError, match=r"the code of the sampler changed: the file .*my_sampler.py changed"):
        execute(Gaussian(2), f"{first}:Differences", {"walkers": 20, "max_steps": 90}, resume=True, **how)
