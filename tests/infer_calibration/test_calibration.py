"""Calibrations of problems with a known posterior: right ones pass, planted mistakes are found."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calibration_toys import EXACT, Line, fit_of

from stellarcr.errors import RunError
from stellarcr.infer.calibration import LOG_LIKELIHOOD, mock_random, rank_among
from stellarcr.infer.samplers import RunInterrupted
from stellarcr.infer.samplers.emcee_settings import EmceeSettings
from stellarcr.infer.samplers.settings import SamplerSettings
from stellarcr.studies.calibrate import run_calibration

MOCKS = 60


def calibrated(line, mocks, path, plots=False, **options):
    return run_calibration(line if callable(line) else fit_of(line), mocks, path, plots=plots, **options)


def ranks(path):
    """The table without the column of times."""
    rows = [line.split(",") for line in (path / "ranks.csv").read_text().splitlines()]
    return [[cell for k, cell in enumerate(row) if rows[0][k] != "seconds"] for row in rows]


def test_a_right_fit_is_uniform(tmp_path):
    result = calibrated(Line(), MOCKS, tmp_path / "toy", plots=True)
    assert result.uniform
    assert result.verdict.startswith("uniform: 60 mocks")
    assert not result.failed
    assert not result.unconverged
    assert result.quantities == ("toy.slope", "toy.offset", LOG_LIKELIHOOD)
    assert result.expected_rejections == pytest.approx(0.3)
    summary = json.loads((tmp_path / "toy" / "summary.json").read_text())
    assert summary["uniform"] is True
    assert set(summary["quantities"]) == set(result.quantities)
    assert len(ranks(tmp_path / "toy")) == 1 + MOCKS
    assert {file.name for file in (tmp_path / "toy" / "plots").iterdir()} == {
        f"{name}.{suffix}" for name in ("ranks", "distances") for suffix in ("pdf", "png")
    }


@pytest.mark.parametrize(
    ("mistake", "quantity", "sign"),
    [
        ({"width": 0.2}, "toy.slope", "spread"),
        ({"noise": 0.3}, "toy.offset", "spread"),
        ({"shift": 1.0}, "toy.offset", "mean"),
    ],
)
def test_a_planted_mistake_is_found(tmp_path, mistake, quantity, sign):
    result = calibrated(Line(**mistake), 40, tmp_path / "toy")
    assert result.uniform is False
    assert result.verdict.startswith("NOT uniform")
    assert min(result.corrected[quantity]) < 0.01
    test = result.tests[quantity]
    if sign == "spread":
        assert test.spread > 1 + 3 * test.spread_error
    else:
        assert abs(test.mean - 0.5) > 3 * test.mean_error


def test_a_fit_that_ignores_the_data_is_found_by_the_likelihood_alone(tmp_path):
    result = calibrated(Line(blind=True), 40, tmp_path / "toy")
    assert min(result.corrected["toy.slope"]) > 0.05
    assert min(result.corrected["toy.offset"]) > 0.05
    assert min(result.corrected[LOG_LIKELIHOOD]) < 1e-3


def test_a_chain_is_calibrated_too(tmp_path):
    settings = EmceeSettings(walkers=10, ensembles=2, learn=False, target_tau=12.0, check_every=100, max_steps=2000)
    result = calibrated(fit_of(Line(), settings=settings, sampler="emcee"), 20, tmp_path / "toy")
    assert result.uniform
    assert len(result.ranked) == 20
    assert min(record.effective_samples for record in result.records if record.converged) >= 99


def test_too_few_effective_samples_are_counted_as_not_converged(tmp_path):
    result = calibrated(fit_of(Line(), draws=399), 20, tmp_path / "toy")
    assert not result.unconverged
    result = calibrated(fit_of(Line(), draws=400), 20, tmp_path / "more")
    assert not result.unconverged
    result = calibrated(fit_of(Line(), draws=401), 20, tmp_path / "most")
    assert len(result.failed) == 20
    assert result.uniform is None
    assert "not tested: 0 of 20 mocks have ranks" in result.verdict


def test_a_missed_mode_is_known_for_certain(tmp_path):
    class Lost(Line):
        """A fit that searches and samples far from where the truth may be."""

        def prior_transform(self, unit):
            return 30.0 + super().prior_transform(unit)

        def posterior_draws(self, rng, n):
            return self.prior_transform(rng.uniform(0.1, 0.9, (n, 2)))

    record = fit_of(Lost())(0)
    assert record.above_maximum > 100
    assert not record.converged
    assert record.verdict.startswith("missed a mode: ln posterior of the truth is ")
    result = calibrated(Lost(), 20, tmp_path / "toy")
    assert "20 fits MISSED A MODE" in result.verdict
    for right in (fit_of(Line())(k) for k in range(5)):
        assert right.above_maximum < 0


def test_failed_fits_are_reported(tmp_path):
    result = calibrated(Line(fails=frozenset({1})), 40, tmp_path / "toy")
    assert 3 < len(result.failed) < 30
    assert f"{len(result.failed)} fits FAILED" in result.verdict
    assert all("the table ends at 3 TV" in record.verdict for record in result.failed)
    assert len(ranks(tmp_path / "toy")) == 41
    assert result.tests["toy.slope"].mocks == 40 - len(result.failed)


def test_a_crash_is_a_failed_fit():
    class Breaks(Line):
        def mock(self, theta, rng):
            raise np.linalg.LinAlgError("singular matrix")

    record = fit_of(Breaks())(0)
    assert record.verdict == "failed: LinAlgError: singular matrix"
    assert not record.ranks


def test_what_a_kill_left_of_a_new_folder_is_no_obstacle(tmp_path):
    (tmp_path / "toy" / "mocks").mkdir(parents=True)
    (tmp_path / "toy" / "config.toml").write_text("")
    (tmp_path / "toy" / "mocks" / "000003.json").write_text("{}")
    assert len(calibrated(Line(), 20, tmp_path / "toy").records) == 20


class Interrupted:
    """A fit that is interrupted before its n-th mock."""

    def __init__(self, fit, n):
        self.fit, self.left = fit, n

    def __getattr__(self, name):
        return getattr(self.fit, name)

    def __call__(self, index):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return self.fit(index)


def test_an_interrupted_calibration_goes_on(tmp_path):
    whole = calibrated(Line(), 24, tmp_path / "whole")
    with pytest.raises(RunInterrupted, match="11 of 24 mocks are done"):
        calibrated(Interrupted(fit_of(Line()), 11), 24, tmp_path / "parts")
    resumed = calibrated(Line(), 24, tmp_path / "parts", resume=True)
    assert ranks(tmp_path / "parts") == ranks(tmp_path / "whole")
    assert resumed.to_dict()["quantities"] == whole.to_dict()["quantities"]
    more = calibrated(Line(), 30, tmp_path / "parts", resume=True)
    assert ranks(tmp_path / "parts")[:25] == ranks(tmp_path / "whole")
    assert len(more.records) == 30


def test_kills_lose_no_mock_and_change_none(tmp_path):
    script = Path(__file__).parent / "kill_calibration.py"
    whole = calibrated(Line(), 40, tmp_path / "whole")
    files = tmp_path / "killed" / "mocks"
    for wanted in (3, 15):
        command = [sys.executable, str(script), str(tmp_path / "killed"), "40", *(["resume"] if wanted > 3 else [])]
        process = subprocess.Popen(command)
        deadline = time.monotonic() + 60
        while len(list(files.glob("[0-9]*.json"))) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    done = len(list(files.glob("[0-9]*.json")))
    assert 15 <= done < 40
    resumed = calibrated(Line(), 40, tmp_path / "killed", resume=True)
    assert ranks(tmp_path / "killed") == ranks(tmp_path / "whole")
    assert resumed.to_dict()["quantities"] == whole.to_dict()["quantities"]


def test_processes_change_nothing(tmp_path):
    calibrated(Line(), 24, tmp_path / "one")
    calibrated(Line(), 24, tmp_path / "two", processes=2)
    assert ranks(tmp_path / "one") == ranks(tmp_path / "two")


def test_another_calibration_is_refused(tmp_path):
    calibrated(Line(), 20, tmp_path / "toy")
    with pytest.raises(RunError, match="a calibration here already"):
        calibrated(Line(), 20, tmp_path / "toy")
    for fit, message in (
        (fit_of(Line(), seed=2), "seed = 2, in this folder it was 1"),
        (fit_of(Line(width=2.0)), "model, priors or data"),
        (fit_of(Line(), draws=49), "draws = 49"),
        (fit_of(Line(), settings=SamplerSettings(draws=300)), r"settings\.draws = 300"),
        (replace(fit_of(Line()), sampler="emcee", settings=EmceeSettings()), "sampler = 'emcee'"),
    ):
        with pytest.raises(RunError, match=message):
            calibrated(fit, 20, tmp_path / "toy", resume=True)
    with pytest.raises(RunError, match="no calibration to go on with"):
        calibrated(Line(), 20, tmp_path / "none", resume=True)
    calibrated(fit_of(Line(), seed=2), 20, tmp_path / "toy", overwrite=True)
    assert len(list((tmp_path / "toy" / "mocks").iterdir())) == 20
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.tex").write_text("")
    with pytest.raises(RunError, match=r"thesis\.tex"):
        calibrated(Line(), 20, tmp_path / "other")


def test_every_mock_has_a_stream_of_its_own():
    fit = fit_of(Line())
    assert fit(3).truth == fit(3).truth
    assert fit(3).ranks == fit(3).ranks
    assert fit(3).truth != fit(4).truth
    assert mock_random(1, 3)[1] != mock_random(2, 3)[1]
    assert fit.sampler == EXACT


def test_rank_of_equal_values_is_drawn():
    rng = np.random.default_rng(1)
    drawn = [rank_among(0.0, np.array([-1.0, 0.0, 0.0, 1.0]), rng) for _ in range(300)]
    assert set(drawn) == {1, 2, 3}
    assert rank_among(5.0, np.array([1.0, 2.0]), rng) == 2
    assert rank_among(0.0, np.array([1.0, 2.0]), rng) == 0
