"""Shared by the tests of the physics, the likelihoods and the command line."""

import copy
import os
import shutil
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Column, Table
from threadpoolctl import threadpool_limits

from stellarcr.config import build_posterior, config_from_mapping, load_config

CONFIGS = Path(__file__).parents[1] / "scripts" / "configs"

CACHE = pytest.StashKey[str]()


def pytest_configure(config):
    """Keep tables of stellar populations in a folder of this session, shared by its processes, not in the user's."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="stellarcr-tests-")
        config.stash[CACHE] = folder
        os.environ["STELLARCR_CACHE"] = folder  # processes of pytest-xdist inherit it


def pytest_unconfigure(config):
    """Remove the folder."""
    if CACHE in config.stash:
        shutil.rmtree(config.stash[CACHE], ignore_errors=True)


SMALL = """
name = "small"
[galaxy]
preset = "plain-diffusion"
production = "none"
geometry = "slab"
[populations.snr]
[parameters.snr]
log10_power = { prior = "uniform", low = 47.0, high = 50.0, value = 48.0 }
gamma1 = -2.2
gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }
[likelihoods.ams02]
species = ["H", "He"]
[sampler]
name = "emcee"
"""


@pytest.fixture(scope="module")
def one_thread():
    """Keep linear algebra to one thread: the matrices are small, and tests may run side by side."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def configs():
    """Return the folder of the shipped configurations."""
    return CONFIGS


@pytest.fixture(scope="session")
def reference():
    """Return the posterior of the reference fit."""
    return build_posterior(load_config(CONFIGS / "reference.toml"))


@pytest.fixture(scope="session")
def reference_content():
    """Return a function that gives the reference configuration as a mapping to change."""
    content = {"name": "reference", **tomllib.loads((CONFIGS / "reference.toml").read_text())}
    return lambda: copy.deepcopy(content)


@pytest.fixture(scope="session")
def small_content():
    """Return a function that gives a configuration that is quick to build, as a mapping to change."""
    return lambda: tomllib.loads(SMALL)


@pytest.fixture
def write_config(tmp_path):
    """Write the small configuration with a piece of its text replaced and a piece added; return its path."""

    def write(old="", new="", add="", name="run.toml"):
        assert old in SMALL
        path = tmp_path / name
        path.write_text(SMALL.replace(old, new, 1) + add if old else SMALL + add)
        return path

    return write


@pytest.fixture(scope="session")
def build():
    """Return a function that builds a posterior from a mapping."""
    return lambda content: build_posterior(config_from_mapping(content))


@pytest.fixture(scope="session")
def exact_predictions():
    """Return a function that predicts all tables with `ForwardModel.flux`, one parameter vector after the other."""
    return _exact_predictions


def _exact_predictions(posterior, theta, nodes=48):
    """Map table name to ``(n, n_points)``; bins are averaged with Gauss-Legendre nodes in ln x."""
    abscissae, weights = np.polynomial.legendre.leggauss(nodes)
    values = posterior.space.resolve(theta)
    result = {}
    for likelihood in posterior.likelihoods:
        key = likelihood.data.key
        for table in likelihood.data.tables:
            x, low, high = table.x.value, table.x_low.value, table.x_high.value
            if np.all(np.isfinite(low)):
                half = 0.5 * np.log(high / low)[:, None]
                points = np.sqrt(low * high)[:, None] * np.exp(half * abscissae)
                average = half * weights * points / (high - low)[:, None]
            else:
                points, average = x[:, None], np.ones((len(x), 1))
            rows = []
            for k in range(len(theta)):
                at = {name: float(v[k]) if np.ndim(v) else float(v) for name, v in values.items()}
                scale, phi = at[f"{key}.energy_scale"], at[f"{key}.phi"]
                parameters = posterior.model_parameters(at)
                flux = posterior.model.flux(parameters, table.species, points.ravel() / scale, table.axis, phi)["total"]
                averaged = np.sum(flux.reshape(points.shape) * average, axis=1)
                rows.append(at[f"{key}.normalisation"] * averaged / scale)
            result[table.name] = np.stack(rows)
    return result


@pytest.fixture
def write_table(tmp_path):
    """Write a table of a made-up experiment; return its path."""

    def write(name, species, x_low, x_high, value, stat, axis="R", limits=None, folder="tables", **systematics):
        quantity = "ratio" if "/" in species else "flux"
        unit = "" if quantity == "ratio" else "1 / (m2 s sr GV)" if axis == "R" else "1 / (m2 s sr GeV)"
        x_unit = "GV" if axis == "R" else "GeV"
        x_low, x_high, value = (np.asarray(a, dtype=float) for a in (x_low, x_high, value))
        table = Table(
            meta={
                "schema": "stellarcr-spectrum/1",
                "name": name,
                "experiment": "TOY",
                "species": species,
                "quantity": quantity,
                "axis": axis,
                "reference": {"text": "A. Author (2020)", "doi": "", "arxiv": "2001.00010", "table": "Table 1"},
                "systematics": dict.fromkeys(systematics, "made up"),
            }
        )
        columns = {"x_low": x_low, "x_high": x_high, "x": np.sqrt(x_low * x_high)}
        for key, numbers in columns.items():
            table[key] = Column(numbers, unit=x_unit)
        errors = {"value": value, **_sides("stat", stat)}
        for key, pair in systematics.items():
            errors.update(_sides(f"systematic_{key}", pair))
        for key, numbers in errors.items():
            table[key] = Column(np.broadcast_to(np.asarray(numbers, dtype=float), value.shape).copy(), unit=unit)
        table["upper_limit"] = np.zeros(len(value), dtype=bool) if limits is None else np.asarray(limits)
        table["flag"] = ["made up"] * len(value)
        path = tmp_path / folder / f"{name}.ecsv"
        path.parent.mkdir(exist_ok=True)
        table.write(path, format="ascii.ecsv", overwrite=True)
        return path

    return write


def _sides(name, errors):
    low, high = errors if isinstance(errors, tuple) else (errors, errors)
    return {f"{name}_low": low, f"{name}_high": high}
