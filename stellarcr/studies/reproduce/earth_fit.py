"""The reference populations as printed, and the four powers that the paper does not print, fitted to the data.

With all shapes and abundances fixed the model is linear in the powers: at given modulation potentials the best
non-negative ones follow from linear least squares. The potentials are searched around that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import minimize, nnls

from ...config import RunConfig, build_posterior, config_from_mapping
from ...errors import ModelError
from ...infer.posterior import Posterior
from ...likelihood.errors import CombinedErrors, CorrelatedErrors, ErrorModel, IndependentErrors
from ...likelihood.schema import load_likelihood_file
from .items import Settings

Floats = NDArray[np.float64]

PRESET = "plain-diffusion"
"""Propagation. The paper takes Model B' of Ma et al. 2023, whose numbers are not at hand."""

SOURCES = ("snr", "o_wind", "wr_wind", "msc")
"""Populations whose power is fitted; the nearby Type Ia remnant has the energy that is printed."""

ELEMENTS = ("H", "He", "C", "O", "Mg", "Si", "S", "Fe")
"""Elements of the paper's Table 3. Neon is not among them: no abundance of it is printed."""

EXPERIMENTS = ("ams02", "dampe", "nucleon", "lhaaso")
"""Likelihood files of the reference fit; LHAASO for EPOS-LHC."""

_POWER_UNIT = 1e47
"""Powers inside the linear fit are in this unit [erg/yr], so that none is far from 1."""

_HIGHEST_POWER = 1e52
_POTENTIAL_TOLERANCE = 1e-4
"""Of the potentials [GV], and of chi2."""


@dataclass(frozen=True, eq=False)
class EarthFit:
    """The reference populations with fitted powers.

    Attributes
    ----------
    posterior : Posterior
        Model and data.
    best : ndarray, shape (n_dim,)
        Powers [erg/yr] and modulation potentials [GV] in the order of ``posterior.names``.
    """

    posterior: Posterior
    best: Floats
    _fluxes: dict[tuple[str, bytes], dict[str, Floats]] = field(default_factory=dict, init=False, repr=False)

    @property
    def values(self) -> dict[str, float]:
        """Fitted values by full name."""
        return dict(zip(self.posterior.names, self.best.tolist(), strict=True))

    @property
    def chi2(self) -> dict[str, tuple[float, int]]:
        """Chi-square and number of points of every independent group of points."""
        return {name: (float(v[0]), n) for name, (v, n) in self.posterior.chi2_terms(self.best[None, :]).items()}

    @property
    def total_chi2(self) -> float:
        """Sum over all groups."""
        return sum(value for value, _ in self.chi2.values())

    @property
    def parameters(self) -> dict[str, float]:
        """Model parameters by full name, fixed ones included."""
        resolved = self.posterior.space.resolve(self.best[None, :])
        return {
            name: float(np.ravel(value)[0]) for name, value in self.posterior.model_parameters(dict(resolved)).items()
        }

    def flux(self, element: str, rigidity: Floats) -> dict[str, Floats]:
        """Interstellar flux of an element [1/(m2 s sr GV)] by population, ``total`` first."""
        key = element, rigidity.tobytes()
        if key not in self._fluxes:
            found = self.posterior.model.flux(self.parameters, element, rigidity)
            self._fluxes[key] = {name: np.broadcast_to(value, rigidity.shape) for name, value in found.items()}
        return self._fluxes[key]

    def shares(self) -> dict[str, float]:
        """Fitted power over mechanical power, where the latter is known."""
        members = self.posterior.model.populations
        return {m.name: self.values[f"{m.name}.power"] / m.budget for m in members if m.budget and m.name in SOURCES}

    def moved(self, posterior: Posterior) -> EarthFit:
        """The same powers and potentials with another model and the same free parameters."""
        return EarthFit(posterior, np.array([self.values[name] for name in posterior.names]))


def earth_fit(settings: Settings, fragments: bool = True, type_ia: bool = False) -> EarthFit:
    """Fit the powers; each combination once.

    Parameters
    ----------
    settings : Settings
        Keeps what is made. Grid, recipe and iron do not matter: the spectra are those of the paper's table.
    fragments : bool
        Whether nuclei that spallation makes are followed, or lost as in the paper's simplified form.
    type_ia : bool
        Whether the nearby Type Ia remnant is added, as printed.
    """
    name = f"earth fit, fragments {fragments}, Type Ia {type_ia}"
    return cast(EarthFit, settings.once(name, lambda: fit_powers(build_posterior(configuration(fragments, type_ia)))))


def configuration(fragments: bool = True, type_ia: bool = False) -> RunConfig:
    """Everything as printed and fixed, but four powers and the modulation potentials.

    Parameters
    ----------
    fragments, type_ia : bool
        See `earth_fit`.
    """
    power = {"prior": "uniform", "low": 0.0, "high": _HIGHEST_POWER, "value": _POWER_UNIT}
    populations: dict[str, Any] = {name: {} for name in SOURCES}
    likelihoods: dict[str, dict[str, Any]] = {}
    for key in EXPERIMENTS:
        species = load_likelihood_file(key)[0].species
        likelihoods[key] = {"species": [s for s in species if s in ELEMENTS]}
    likelihoods["lhaaso"]["hadronic_model"] = "EPOS-LHC"
    return config_from_mapping(
        {
            "name": "earth",
            "galaxy": {"preset": PRESET} | ({} if fragments else {"production": "none"}),
            "populations": populations | ({"ia": {"yields": "N100"}} if type_ia else {}),
            "parameters": {name: {"power": power} for name in SOURCES},
            "likelihoods": likelihoods,
        },
        "reproduce",
    )


def fit_powers(posterior: Posterior) -> EarthFit:
    """Find the powers and modulation potentials of the highest posterior density.

    Parameters
    ----------
    posterior : Posterior
        Whose free parameters are powers, ``<population>.power``, with uniform priors from zero, and modulation
        potentials, ``<experiment>.phi``.

    Raises
    ------
    ModelError
        If another parameter is free, or an error model is not Gaussian.
    """
    names = posterior.names
    powers = np.array([name.endswith(".power") for name in names])
    wrong = [name for name, power in zip(names, powers, strict=True) if not power and not name.endswith(".phi")]
    if wrong:
        raise ModelError(
            f"{wrong[0]} is free, and the linear fit knows powers and modulation potentials only",
            remedy=f"fix it in the likelihood file or configuration, or sample it with 'stellarcr run': {wrong[0]}",
        )
    start = posterior.reference()

    def point(potentials: Floats, values: Floats) -> Floats:
        theta = np.empty(len(names))
        theta[powers], theta[~powers] = values * _POWER_UNIT, potentials
        return theta

    def best(potentials: Floats) -> tuple[Floats, float]:
        """Powers at given potentials, and chi2 with the priors of the potentials."""
        typical = point(potentials, np.ones(powers.sum()))
        penalty = -2.0 * float(posterior.log_prior(typical[None, :])[0])
        if not np.isfinite(penalty):
            return np.zeros(powers.sum()), np.inf
        unit = np.vstack([np.zeros(powers.sum()), np.eye(powers.sum())])
        theta = np.stack([point(potentials, row) for row in unit])
        predicted = posterior.predictions(theta)
        residual, change = [], []
        for likelihood in posterior.likelihoods:
            data = likelihood.data
            values = np.concatenate([predicted[name] for name in data.slices], axis=1)
            residual.append(whitened(data.errors, data.values - values[0]))
            change.append(whitened(data.errors, values[1:] - values[0]))
        found, chi2 = nonnegative_fit(np.concatenate(change, axis=1).T, np.concatenate(residual))
        return found, chi2 + penalty

    if np.all(powers):
        return EarthFit(posterior, point(start[~powers], best(start[~powers])[0]))
    searched = minimize(
        lambda potentials: best(potentials)[1],
        start[~powers],
        method="Nelder-Mead",
        options={"xatol": _POTENTIAL_TOLERANCE, "fatol": _POTENTIAL_TOLERANCE, "maxiter": 1000},
    )
    return EarthFit(posterior, point(searched.x, best(searched.x)[0]))


def nonnegative_fit(design: Floats, residual: Floats) -> tuple[Floats, float]:
    """Non-negative coefficients that bring ``design @ coefficients`` nearest to the residuals.

    Parameters
    ----------
    design : ndarray, shape (n_points, n)
        Change of every point with every coefficient, in units of the errors.
    residual : ndarray, shape (n_points,)
        Data minus model without any, in units of the errors.

    Returns
    -------
    tuple of (ndarray, float)
        Coefficients and the sum of squares that is left.
    """
    length = np.linalg.norm(design, axis=0)
    length = np.where(length > 0, length, 1.0)
    found, left = nnls(design / length, residual)
    return found / length, float(left) ** 2


def whitened(errors: ErrorModel, residuals: Floats) -> Floats:
    """Residuals as independent numbers in units of their errors; their squares add up to chi2.

    Parameters
    ----------
    errors : ErrorModel
        Gaussian. Of asymmetric errors the mean is taken.
    residuals : ndarray, shape (..., n_points)
        Data minus model.

    Raises
    ------
    ModelError
        If the errors are not Gaussian.
    """
    if isinstance(errors, IndependentErrors):
        return residuals / (0.5 * (errors.lower + errors.upper))
    if isinstance(errors, CorrelatedErrors):
        scale = np.sqrt(np.diag(errors.covariance))
        factor = cholesky(errors.covariance / np.outer(scale, scale), lower=True)
        flat = np.reshape(residuals / scale, (-1, len(scale)))
        return np.reshape(solve_triangular(factor, flat.T, lower=True).T, residuals.shape)
    if isinstance(errors, CombinedErrors):
        parts = [whitened(part, residuals[..., index]) for index, part in errors.parts]
        return np.concatenate(parts, axis=-1)
    raise ModelError(
        f"the errors {type(errors).__name__} are not Gaussian, and the linear fit needs that",
        remedy="leave upper limits out by the likelihood file's range",
    )


def chi2_lines(fits: Mapping[str, EarthFit]) -> Iterable[tuple[str, ...]]:
    """Lines of a table: group, points, chi2 of every fit; the sum last."""
    every = {name: fit.chi2 for name, fit in fits.items()}
    groups = next(iter(every.values()))
    yield ("data", "points", *every)
    for group, (_, points) in groups.items():
        yield (group, str(points), *(f"{chi2[group][0]:.1f}" for chi2 in every.values()))
    total = sum(points for _, points in groups.values())
    yield ("all", str(total), *(f"{fit.total_chi2:.1f}" for fit in fits.values()))
