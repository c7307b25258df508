"""`stellarcr mock`: mock data sets as files that are fitted like any data, with the truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..config import RunConfig, build_posterior
from ..errors import ConfigError, ParameterError, RunError, nearest
from ..infer.calibration import mock_random
from ..infer.files import disk_errors, write_json
from ..infer.parameters import ParameterSpace
from ..infer.posterior import Posterior
from ..infer.runs import Run, read_run
from .fit import as_config
from .mock_draw import draw_mock
from .mock_files import write_mock
from .spectrum import parse_assignments

TRUTH = "truth.json"


@dataclass(frozen=True)
class Mock:
    """One mock data set on disk.

    Attributes
    ----------
    path : Path
        Its folder, with ``config.toml``, ``truth.json``, ``likelihoods`` and ``tables``.
    truth : dict of float
        Free parameters that the data were drawn with.
    record : dict
        Content of ``truth.json``.
    """

    path: Path
    truth: dict[str, float]
    record: dict[str, Any]


def make_mocks(
    config: RunConfig | str | Path,
    output: Path,
    *,
    assignments: Sequence[str] = (),
    run: str | Path | None = None,
    prior: bool = False,
    seed: int | None = None,
    count: int = 1,
    first: int = 0,
) -> list[Mock]:
    """Draw mock data at a truth, with the points and errors of the configuration's data; write them.

    Parameters
    ----------
    config : RunConfig or path
        The problem.
    output : Path
        Folder of the mock, or of numbered folders if several are drawn.
    assignments : sequence of str
        ``name=value`` of free parameters, in place of the values of `run`, of the prior or of the configuration.
    run : path, optional
        Take the maximum of the posterior of this run as truth.
    prior : bool
        Draw a truth from the prior for every mock.
    seed : int, optional
        Instead of the configuration's.
    count, first : int
        How many mocks, and the number of the first one. With the seed, the number decides everything random: with
        `prior`, mock k of a seed is mock k of a calibration of the same seed.

    Raises
    ------
    StellarcrError
        For a wrong configuration or run, a truth outside the prior, and a folder that is not empty.
    """
    if run is not None and prior:
        raise ConfigError("--from and --prior exclude each other", remedy="keep one of them")
    config = as_config(config)
    seed = config.seed if seed is None else seed
    posterior = build_posterior(config)
    given = _free_values(parse_assignments(assignments), posterior.space)
    base = posterior.reference() if run is None else _maximum(read_run(run), posterior.names)
    source = "prior" if prior else "reference values" if run is None else f"maximum of {Path(run).resolve()}"
    folders = [output] if count == 1 else [output / f"{number:04d}" for number in range(first, first + count)]
    _check_empty(output)
    mocks = []
    for number, path in zip(range(first, first + count), folders, strict=True):
        rng, _ = mock_random(seed, number)
        theta = posterior.sample_prior(rng, 1)[0] if prior else base.copy()
        for name, value in given.items():
            theta[posterior.names.index(name)] = value
        _check_possible(posterior, theta)
        drawn = draw_mock(posterior, theta, rng)
        label = f"{config.name}_mock" if count == 1 else f"{config.name}_mock_{number:04d}"
        record = _record(posterior, drawn, theta) | {
            "name": label,
            "seed": seed,
            "number": number,
            "truth_from": source + (f", with {', '.join(given)} set" if given else ""),
        }
        with disk_errors(path):
            hashes = write_mock(path, config, posterior, drawn, label, record)
        write_json(path / TRUTH, record | {"data_hashes": hashes})
        mocks.append(Mock(path, record["truth"], record | {"data_hashes": hashes}))
    return mocks


def _record(posterior: Posterior, drawn: Posterior, theta: np.ndarray) -> dict[str, Any]:
    values = {name: float(np.ravel(v)[0]) for name, v in posterior.space.resolve(theta[None, :]).items()}
    pairs = [
        (old, new)
        for before, after in zip(posterior.likelihoods, drawn.likelihoods, strict=True)
        for old, new in zip(before.data.tables, after.data.tables, strict=True)
    ]
    chi2 = {name: [float(value[0]), n] for name, (value, n) in drawn.chi2_terms(theta[None, :]).items()}
    return {
        "mock": True,
        "version": __version__,
        "fingerprint_of_data": posterior.fingerprint,
        "truth": dict(zip(posterior.names, theta.tolist(), strict=True)),
        "all_parameters": values,
        "log_likelihood": float(drawn.log_likelihood(theta[None, :])[0]),
        "log_prior": float(drawn.log_prior(theta[None, :])[0]),
        "chi2_and_points": chi2,
        "negative_values": {new.name: int(np.sum(new.value.value < 0)) for _, new in pairs if np.any(new.value < 0)},
        "limits_that_became_measurements": {
            new.name: int(np.sum(old.upper_limit & ~new.upper_limit))
            for old, new in pairs
            if np.any(old.upper_limit & ~new.upper_limit)
        },
    }


def _free_values(values: dict[str, float], space: ParameterSpace) -> dict[str, float]:
    """Refuse what is not free: the truth of a fixed parameter is the configuration's value."""
    kinds = {p.name: p.kind for p in space.parameters}
    for name in values:
        if name not in kinds:
            raise ParameterError(f"--set: unknown parameter {name!r}", remedy=nearest(name, space.names))
        if kinds[name] != "free":
            raise ParameterError(
                f"--set: {name} is {kinds[name]} in the configuration",
                remedy="free it there with a prior, or change its value there; only free parameters are recovered",
            )
    return values


def _maximum(run: Run, names: Sequence[str]) -> np.ndarray:
    known = dict(zip(run.names, run.maximum.tolist(), strict=True))
    missing = [name for name in names if name not in known]
    if missing:
        raise ConfigError(
            f"the run has no value of {', '.join(missing)}",
            where=str(run.path),
            remedy="draw from the configuration of this run, <run>/config.toml",
        )
    return np.array([known[name] for name in names])


def _check_possible(posterior: Posterior, theta: np.ndarray) -> None:
    if np.isfinite(posterior.log_prior(theta[None, :])[0]):
        return
    names = []
    for k, parameter in enumerate(p for p in posterior.space.parameters if p.prior is not None):
        if not np.isfinite(parameter.prior.logpdf(theta[k])):  # type: ignore[union-attr]
            names.append(f"{parameter.name} = {theta[k]:g}")
    raise ParameterError(
        f"the truth lies outside the prior: {', '.join(names) or 'it violates a constraint'}",
        remedy="no fit can recover it: change it, or the prior",
    )


def _check_empty(output: Path) -> None:
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise RunError(
            f"{output} is not empty", remedy="choose another folder with --output, or remove this one yourself"
        )
