"""The posterior of a forward model: parameters and priors, source spectra, data.

It has the interface that samplers expect (`stellarcr.infer.posterior_protocol`); every method takes points of shape
``(n, n_dim)`` and works on all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ConfigError, ModelError, ParameterError, StellarcrError
from ..likelihood.columns import isotopes_apart
from ..likelihood.experiment import ExperimentData, ExperimentLikelihood
from ..likelihood.experiment_response import ExperimentResponse
from ..likelihood.groups import measured_name
from ..likelihood.prediction import SourceTable, connect
from ..likelihood.ratio import check_independence
from ..model import ForwardModel, plain_name
from ..species import members, parts
from .parameters import ParameterSpace
from .priors import Prior

FRACTION_RIGIDITIES = {"100GV": 1e2, "10TV": 1e4, "1PV": 1e6}
"""Rigidities [GV] at which flux fractions are reported."""

FRACTION_SPECIES = ("H", "He")
SMALLEST_SCALE = 0.1
"""Energy scale below which a response is not tabulated (project choice: no calibration is off by ten)."""

_TAIL = 1e-9
"""Probability left outside the range in which a nuisance parameter's response is tabulated."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Log-prior, log-likelihood and what follows from them, for batches of points.

    Build it with `Posterior.build`, or from a configuration with `stellarcr.config`.

    Attributes
    ----------
    space : ParameterSpace
        Parameters and priors.
    model : ForwardModel
        The physics.
    sources : SourceTable
        Source spectra on the grid.
    likelihoods : tuple of ExperimentLikelihood
        One per experiment.
    fingerprint : str
        Hash of everything that defines the problem.
    """

    space: ParameterSpace
    model: ForwardModel
    sources: SourceTable
    likelihoods: tuple[ExperimentLikelihood, ...]
    fingerprint: str = ""

    @classmethod
    def build(
        cls, model: ForwardModel, data: Sequence[ExperimentData], space: ParameterSpace, fingerprint: str = ""
    ) -> Posterior:
        """Tabulate what the fit needs and join the parts.

        Parameters
        ----------
        model : ForwardModel
            The physics.
        data : sequence of ExperimentData
            From `stellarcr.likelihood.load_experiment`.
        space : ParameterSpace
            Parameters by full name; nuisance parameters as ``<experiment key>.phi``, ``.energy_scale`` and
            ``.normalisation``.
        fingerprint : str
            Hash of the problem, checked on resume.

        Raises
        ------
        ParameterError
            If a parameter belongs neither to the model nor to an experiment.
        ModelError
            If an experiment measures an element that no population injects and nothing makes.
        ConfigError
            If two likelihoods hold the same measurement, or one follows from others, as a ratio from its two fluxes.
        """
        keys = {d.key for d in data}
        model.check_names(p.name for p in space.parameters if p.name.partition(".")[0] not in keys)
        elements = tuple(dict.fromkeys(e for d in data for e in d.elements))
        injected = set(model.elements)
        fitted: dict[str, str] = {}
        for d in data:
            for table in d.distinct_tables:
                measurement = f"{table.experiment} {measured_name(table)}"
                if measurement in fitted:
                    raise ConfigError(
                        f"{measurement} is fitted twice, by the likelihoods {fitted[measurement]!r} and {d.key!r}",
                        remedy="leave it out of one of them; one measurement counts once",
                    )
                fitted[measurement] = d.key
                for part in parts(table.species):
                    if not injected & set(members(part)):
                        raise ModelError(
                            f"no population injects {part!r}, which {table.name!r} measures"
                            + ("" if model.galaxy.network is None else ", and nothing makes it on the way"),
                            where=f"likelihood {d.key!r}",
                            remedy=f"leave {table.species!r} out of the likelihood, or add a population that injects "
                            f"{part!r}"
                            + (", or follow fragments with galaxy.production" if model.galaxy.network is None else ""),
                        )
        check_independence(data)
        fixed = {p.name: float(p.value) for p in space.parameters if p.kind == "fixed" and p.value is not None}
        model_fixed = {name: value for name, value in fixed.items() if name.partition(".")[0] not in keys}
        varying = [p.name for p in space.parameters if p.kind != "fixed" and p.name.partition(".")[0] not in keys]
        apart = isotopes_apart(m for d in data for m in d.measurements)
        sources = SourceTable.build(model, elements, varying, model_fixed, apart)
        responses = []
        for d in data:
            ranges = (nuisance_range(space, f"{d.key}.{name}") for name in ("phi", "energy_scale"))
            try:
                responses.append(ExperimentResponse.build(sources, d.measurements, *ranges))
            except StellarcrError as error:
                raise type(error)(
                    error.problem, where=error.where or f"likelihood {d.key!r}", remedy=error.remedy
                ) from error
        point = space.resolve(space.reference()[None, :])
        reference = {name: value for name, value in point.items() if name.partition(".")[0] not in keys}
        sources, connected = connect(sources, responses, reference)
        likelihoods = tuple(ExperimentLikelihood(*pair) for pair in zip(data, connected, strict=True))
        return cls(space, model, sources, likelihoods, fingerprint)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters, in order."""
        return self.space.names

    @property
    def labels(self) -> tuple[str, ...]:
        """LaTeX labels without dollar signs."""
        return self.space.labels

    @property
    def units(self) -> tuple[str, ...]:
        """Units as text; empty for a pure number."""
        return self.space.units

    @property
    def n_dim(self) -> int:
        """Number of free parameters."""
        return self.space.n_dim

    def reference(self) -> np.ndarray:
        """One point inside the prior: reference values where given, else medians."""
        return self.space.reference()

    def parameter_records(self) -> dict[str, dict[str, Any]]:
        """What a run folder keeps of every free parameter.

        Returns
        -------
        dict
            Name to ``group`` ("populations", "nearby", "propagation" or "nuisances") and ``prior``, a mapping that
            `stellarcr.infer.priors.prior_from_mapping` reads.
        """
        groups = {
            member.name: "nearby" if member.place == "nearby" else "populations" for member in self.model.populations
        }
        groups |= {"galaxy": "propagation"} | {k.data.key: "nuisances" for k in self.likelihoods}
        return {
            p.name: {"group": groups[p.name.partition(".")[0]], "prior": dict(p.prior.to_mapping())}
            for p in self.space.parameters
            if p.prior is not None
        }

    def log_prior(self, theta: np.ndarray) -> np.ndarray:
        """Log of the normalised prior density, ``(n, n_dim)`` to ``(n,)``."""
        return self.space.log_prior(theta)

    def prior_transform(self, unit_cube: np.ndarray) -> np.ndarray:
        """Map points of the unit cube to parameters."""
        return self.space.prior_transform(unit_cube)

    def sample_prior(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw ``n`` points from the prior."""
        return self.space.sample(rng, n)

    def log_likelihood(self, theta: np.ndarray) -> np.ndarray:
        """Normalised log-likelihood of all data, ``(n, n_dim)`` to ``(n,)``."""
        values = self.space.resolve(theta)
        spectra = self.sources.evaluate(values, theta.shape[0])
        total = self.likelihoods[0].log_likelihood(spectra, values)
        for likelihood in self.likelihoods[1:]:
            total = total + likelihood.log_likelihood(spectra, values)
        return total

    def log_posterior(self, theta: np.ndarray) -> np.ndarray:
        """Sum of log prior and log likelihood; ``-inf`` where the prior is zero."""
        prior = self.log_prior(theta)
        inside = np.isfinite(prior)
        if np.all(inside):
            return prior + self.log_likelihood(theta)
        result = np.full(prior.shape, -np.inf)
        if np.any(inside):
            result[inside] = prior[inside] + self.log_likelihood(theta[inside])
        return result

    def log_likelihood_terms(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Log-likelihood of each group of points that is independent of the others."""
        values, spectra = self._evaluated(theta)
        terms = [k.log_likelihood_terms(spectra, values) for k in self.likelihoods]
        return {name: value for some in terms for name, value in some.items()}

    def chi2_terms(self, theta: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
        """Chi-square and number of points of each group; they add up to the total."""
        values, spectra = self._evaluated(theta)
        terms = [k.chi2_terms(spectra, values) for k in self.likelihoods]
        return {name: value for some in terms for name, value in some.items()}

    def predictions(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Predicted fluxes or ratios at the points of every table, ``(n, n_points)`` by table name."""
        values, spectra = self._evaluated(theta)
        result = {}
        for likelihood in self.likelihoods:
            predicted = likelihood.predict(spectra, values)
            result.update({name: predicted[:, part] for name, part in likelihood.data.slices.items()})
        return result

    def _evaluated(self, theta: np.ndarray) -> tuple[dict[str, Any], np.ndarray]:
        values = self.space.resolve(theta)
        return values, self.sources.evaluate(values, theta.shape[0])

    def derived(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Flux fraction of each population at three rigidities, efficiencies, and probabilities of hadronic models.

        The efficiency is the injected power over the population's mechanical power, where the latter is known. Where a
        likelihood averages over hadronic models, each has its probability given the parameters; its mean over the
        posterior is the model's posterior probability.
        """
        values = self.space.resolve(theta)
        model_values = self.model_parameters(values)
        n = theta.shape[0]
        result: dict[str, np.ndarray] = {}
        rigidities = np.array(list(FRACTION_RIGIDITIES.values()))
        for species in FRACTION_SPECIES:
            fluxes = self.model.flux(model_values, species, rigidities)
            for member in self.model.populations:
                share = np.broadcast_to(fluxes[member.name] / fluxes["total"], (n, len(rigidities)))
                for k, label in enumerate(FRACTION_RIGIDITIES):
                    result[f"flux_fraction.{species}.{member.name}.{label}"] = share[:, k]
        components = self.model.local_values(model_values)
        for member in self.model.populations:
            if member.budget is not None:
                amount = components[member.name][member.amplitude_name]
                efficiency = np.asarray(amount) * (member.amplitude_unit / member.budget)
                result[f"efficiency.{member.name}"] = np.broadcast_to(efficiency, (n,))
        averaged = [k for k in self.likelihoods if len(k.data.file.hadronic_models) > 1]
        spectra = self.sources.evaluate(values, n) if averaged else None
        for likelihood in averaged:
            for name, share in likelihood.hadronic_probabilities(spectra, values).items():
                result[f"hadronic_probability.{likelihood.data.key}.{name}"] = np.asarray(share)
        return result

    def model_parameters(self, values: dict[str, Any]) -> dict[str, Any]:
        """Drop the nuisance parameters from values by full name."""
        known = self.model.parameters
        return {name: value for name, value in values.items() if plain_name(name) in known}


def nuisance_range(space: ParameterSpace, name: str) -> tuple[float, float]:
    """Range in which the response to a nuisance parameter is tabulated.

    A fixed parameter gives a point; a free one all but 1e-9 of its prior in each tail. Beyond, the response is
    extrapolated by its polynomial.

    Parameters
    ----------
    space : ParameterSpace
        All parameters.
    name : str
        Full name.

    Raises
    ------
    ParameterError
        If a potential or an energy scale is not possible.
    ModelError
        If the parameter is missing or linked: a link has no range of its own.
    """
    for parameter in space.parameters:
        if parameter.name == name:
            if parameter.prior is not None:
                prior: Prior = parameter.prior
                return _possible(name, float(prior.ppf(_TAIL)), float(prior.isf(_TAIL)))
            if parameter.kind == "fixed" and parameter.value is not None:
                if name.endswith(".phi") and parameter.value < 0:
                    raise ParameterError(f"{name} = {parameter.value:g} is negative", remedy="give GV, as in 0.6")
                return _possible(name, parameter.value, parameter.value)
            return _possible(name, *_linked_range(space, name))
    raise ModelError(f"the parameter {name!r} is missing", remedy=f"add {name!r} as free or fixed parameter")


def _possible(name: str, low: float, high: float) -> tuple[float, float]:
    if name.endswith(".energy_scale") and low < SMALLEST_SCALE:
        raise ParameterError(
            f"{name} = {low:.3g} is possible, a factor below {SMALLEST_SCALE}",
            remedy="an energy scale is a factor near 1: give it a narrower prior, or fix it",
        )
    return low, high


def _linked_range(space: ParameterSpace, name: str) -> tuple[float, float]:
    """Range of a linked nuisance parameter, from prior draws, widened by a tenth on both sides."""
    draws = np.ravel(space.resolve(space.sample(np.random.default_rng(0), 4000))[name])
    width = float(np.ptp(draws))
    return float(draws.min()) - 0.1 * width, float(draws.max()) + 0.1 * width
