"""The posterior without a population's power and abundance multipliers: they are integrated out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from stellarcr.errors import ConfigError
from stellarcr.infer.expressions import Expression
from stellarcr.infer.parameter import Parameter
from stellarcr.infer.parameters import ParameterSpace
from stellarcr.infer.posterior import Posterior
from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.model import plain_name
from stellarcr.populations import Population

from .design import Design
from .gaussian import Expansion, Marginal, Peak, draw, integrate
from .prior import AmplitudePrior
from .whitening import whitening_of

if TYPE_CHECKING:
    from stellarcr.infer.samplers.base import SamplerResult
    from stellarcr.infer.samplers.map import MapResult

SIGNIFICANT = 5.0
"""Widths that every amplitude must lie above zero for the closed form; below that, only an order of magnitude is given.

The truncated mass is then below 3e-7 (project choice: the design asks for 1e-6)."""

CANDIDATES = 16
"""Draws of the amplitudes for each sample, of which one is kept by its weight."""


@dataclass(frozen=True)
class Restored:
    """Full parameter vectors of samples, and what tells whether the closed form held.

    Attributes
    ----------
    theta : array, shape (n, n_dim of the full posterior)
        Samples with power and multipliers.
    log_correction : array, shape (n,)
        ln of the exact integral over the closed one, with the noise of `CANDIDATES` draws.
    significance : array, shape (n,)
        Smallest ratio of an amplitude to its width; zero where the prior excludes the likelihood's peak.
    """

    theta: FloatArray
    log_correction: FloatArray
    significance: FloatArray


@dataclass(frozen=True)
class _Work:
    """Everything about the amplitudes of a batch; `moved` says where the prior excludes the likelihood's peak."""

    peak: Peak
    expansion: Expansion
    marginal: Marginal
    shares: FloatArray
    moved: np.ndarray


@dataclass(frozen=True, eq=False)
class CollapsedPosterior:
    """A posterior for samplers, from which linear amplitudes are integrated out in closed form.

    It has the interface of `stellarcr.infer.posterior_protocol.Posterior`, with fewer parameters. Its evidence is
    that of the full posterior; `restore` draws the missing parameters.

    Attributes
    ----------
    full : Posterior
        The problem with all parameters.
    population : Population
        Whose power and free multipliers are integrated out.
    space : ParameterSpace
        The remaining parameters; power and multipliers are fixed, at a reference and at one.
    prior : AmplitudePrior
        Of power and multipliers.
    design : Design
        The linear model.
    """

    full: Posterior
    population: Population
    space: ParameterSpace
    prior: AmplitudePrior
    design: Design

    @classmethod
    def build(cls, full: Posterior) -> CollapsedPosterior:
        """Collapse the one population whose abundances are free.

        Parameters
        ----------
        full : Posterior
            The problem.

        Raises
        ------
        ConfigError
            If there is no such population or several, if its amplitudes are linked to or ordered with other parameters,
            if the likelihood is not Gaussian in the predictions, or if no data constrain an amplitude.
        """
        population = _population(full)
        names = _amplitude_names(full.space, population)
        _check_independent(full.space, names)
        _check_linear(full, population)
        by_name = {p.name: p for p in full.space.parameters}
        power = by_name[names[0]]
        reference = float(full.space.resolve(full.space.reference()[None, :])[power.name][0])
        fixed = {names[0]: reference} | dict.fromkeys(names[1:], 1.0)
        space = ParameterSpace(
            tuple(replace(p, prior=None, value=fixed[p.name]) if p.name in fixed else p for p in full.space.parameters),
            full.space.constraints,
        )
        logarithmic = plain_name(power.name) != power.name
        prior = AmplitudePrior(
            ParameterSpace(tuple(by_name[name] for name in names)),
            logarithmic,
            10.0**reference if logarithmic else reference,
        )
        elements = tuple(name.rpartition(".")[2] for name in names[1:])
        collapsed = cls(full, population, space, prior, Design(full.sources, full.likelihoods, population, elements))
        collapsed._check_constrained()
        return collapsed

    def _check_constrained(self) -> None:
        for name, reached in zip(self.prior.space.names, np.any(self.design.incidence, axis=1).tolist(), strict=True):
            if not reached:
                raise _refused(f"no data constrain {name}", "fix it, or fit data that hold the element")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the remaining parameters, in order."""
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
        """Number of remaining parameters."""
        return self.space.n_dim

    @property
    def fingerprint(self) -> str:
        """That of the full posterior, whose configuration says that it is collapsed."""
        return self.full.fingerprint

    def reference(self) -> FloatArray:
        """One point inside the prior."""
        return self.space.reference()

    def parameter_records(self) -> dict[str, dict[str, Any]]:
        """What a run folder keeps of every remaining parameter."""
        return {name: record for name, record in self.full.parameter_records().items() if name in self.names}

    def log_prior(self, theta: FloatArray) -> FloatArray:
        """Log of the normalised prior density of the remaining parameters, ``(n, n_dim)`` to ``(n,)``."""
        return self.space.log_prior(theta)

    def prior_transform(self, unit_cube: FloatArray) -> FloatArray:
        """Map points of the unit cube to parameters."""
        return self.space.prior_transform(unit_cube)

    def sample_prior(self, rng: np.random.Generator, n: int) -> FloatArray:
        """Draw ``n`` points from the prior."""
        return self.space.sample(rng, n)

    def log_likelihood(self, theta: FloatArray) -> FloatArray:
        """Log of the likelihood, integrated over the amplitudes with their prior, ``(n, n_dim)`` to ``(n,)``.

        Where an amplitude lies less than `SIGNIFICANT` widths above zero the value only says how bad the point is.
        """
        work = self._work(theta)
        # amplitudes that the data hardly tell are no wider than themselves: the prior tells them
        widest = (1.0 / work.expansion.at**2)[:, :, None] * np.eye(self.prior.size)
        log_determinant = np.linalg.slogdet(work.peak.precision + widest)[1]
        half_volume = 0.5 * (self.prior.size * math.log(2.0 * math.pi) - log_determinant)
        crude = -0.5 * work.peak.chi2_at(work.expansion.at) + work.expansion.value + half_volume
        closed = work.marginal.log_integral
        holds = ~work.moved & (work.peak.significance >= SIGNIFICANT) & np.isfinite(closed)
        return self.design.log_constant + np.where(holds, closed, crude)

    def log_posterior(self, theta: FloatArray) -> FloatArray:
        """Sum of log prior and integrated log likelihood; ``-inf`` where the prior is zero."""
        prior = self.log_prior(theta)
        inside = np.isfinite(prior)
        result = np.full(prior.shape, -np.inf)
        if np.any(inside):
            result[inside] = prior[inside] + self.log_likelihood(theta[inside])
        return result

    def log_likelihood_terms(self, theta: FloatArray) -> dict[str, FloatArray]:
        """Log likelihood of each data set at the most probable amplitudes."""
        return self.full.log_likelihood_terms(self.most_probable(theta))

    def chi2_terms(self, theta: FloatArray) -> dict[str, tuple[FloatArray, int]]:
        """Chi-squared and number of points of each data set at the most probable amplitudes."""
        return self.full.chi2_terms(self.most_probable(theta))

    def derived(self, theta: FloatArray) -> dict[str, FloatArray]:
        """Quantities derived from the parameters, at the most probable amplitudes."""
        return self.full.derived(self.most_probable(theta))

    def most_probable(self, theta: FloatArray) -> FloatArray:
        """Full parameter vectors with the mean of the amplitudes, ``(n, n_dim)`` to ``(n, n_dim of the full)``."""
        work = self._work(theta)
        return self._join(theta, self.prior.inside(work.marginal.mean, work.shares)[0], work.shares)

    def restore(self, theta: FloatArray, rng: np.random.Generator) -> Restored:
        """Draw the amplitudes of samples from their exact conditional distribution.

        Parameters
        ----------
        theta : array, shape (n, n_dim)
            Samples of the remaining parameters.
        rng : numpy.random.Generator
            Source of randomness.
        """
        work = self._work(theta)
        candidates = draw(work.marginal, rng, CANDIDATES)
        exact = [self.prior.log_density(candidates[:, k], work.shares) for k in range(CANDIDATES)]
        closed = [work.expansion(candidates[:, k]) for k in range(CANDIDATES)]
        left_out = np.stack(exact, axis=1) - np.stack(closed, axis=1)
        # the largest of log weight plus Gumbel noise is a draw by weight
        picked = np.argmax(left_out + rng.gumbel(size=left_out.shape), axis=1)
        kept = self.prior.inside(candidates[np.arange(len(theta)), picked], work.shares)[0]
        with np.errstate(divide="ignore"):
            correction = np.log(np.mean(np.exp(left_out), axis=1))
        significance = np.where(work.moved, 0.0, work.peak.significance)
        return Restored(self._join(theta, kept, work.shares), correction, significance)

    def restored(
        self, maximum: MapResult, result: SamplerResult, seed: int
    ) -> tuple[Posterior, MapResult, SamplerResult]:
        """Give the full posterior, its maximum and samples; see `stellarcr.infer.collapsed.restored`."""
        from .restored import restore_result

        return restore_result(self, maximum, result, seed)

    def _join(self, theta: FloatArray, amplitudes: FloatArray, shares: FloatArray) -> FloatArray:
        """Put remaining parameters, and those that amplitudes stand for, into the order of the full posterior."""
        values = dict(zip(self.names, theta.T, strict=True))
        values |= dict(zip(self.prior.space.names, self.prior.parameters(amplitudes, shares).T, strict=True))
        return np.stack([values[name] for name in self.full.names], axis=-1)

    def _work(self, theta: FloatArray) -> _Work:
        predicted = self.design.predictions(self.space.resolve(theta), len(theta))
        peak = self.design.peak(predicted)
        at, moved = self.prior.inside(peak.amplitudes, predicted.shares)
        expansion = self.prior.expand(at, predicted.shares)
        return _Work(peak, expansion, integrate(peak, expansion), predicted.shares, moved)

    @cached_property
    def description(self) -> str:
        """One line for people."""
        return f"integrated out in closed form: {', '.join(self.prior.space.names)}"


def _population(full: Posterior) -> Population:
    free = set(full.names)
    found = [p for p in full.model.populations if any(f"{p.name}.{name}" in free for name in p.multiplier_names)]
    if len(found) != 1:
        names = ", ".join(p.name for p in found)
        raise _refused(
            f"several populations have free abundances: {names}" if found else "no population has free abundances",
            "free the abundances of exactly one population, such as snr",
        )
    return found[0]


def _amplitude_names(space: ParameterSpace, population: Population) -> list[str]:
    """Full names of the power and of the free multipliers."""
    power = f"{population.name}.{population.amplitude_name}"
    names = [name for name in space.names if plain_name(name) == power]
    if not names:
        raise _refused(f"{power} is not free", "give it a prior; power and abundances are integrated out together")
    return names + [name for name in space.names if name.startswith(f"{population.name}.abundance.")]


def _check_independent(space: ParameterSpace, names: list[str]) -> None:
    for constraint in space.constraints:
        for name in set(constraint.names) & set(names):
            raise _refused(f"the order {constraint.describe()} holds {name}", "remove the order")
    links: list[tuple[Parameter, Expression]] = [(p, p.expression) for p in space.parameters if p.expression]
    for parameter, expression in links:
        for name in set(expression.names) & set(names):
            raise _refused(f"{parameter.name} is linked to {name}", "fix it, or give it a prior")


def _check_linear(full: Posterior, population: Population) -> None:
    if population.injected is not None or population.shape_per_element:
        raise _refused(
            f"the spectra of {population.name} differ from element to element", "collapse a population of one shape"
        )
    if full.model.galaxy.network is not None:
        raise _refused(
            "fragments of nuclei are interpolated along the spectra of their parents, linear only to some 1e-3",
            'write production = "none" in [galaxy]',
        )
    values = {p.name: p.value if p.kind == "fixed" else None for p in full.space.parameters}
    for likelihood in full.likelihoods:
        whitening_of(likelihood.data)
        scatter = f"{likelihood.data.key}.scatter"
        if values.get(scatter, 0.0) != 0.0:
            raise _refused(
                f"with {scatter} errors depend on the prediction, and the likelihood is not Gaussian in it",
                f"remove {scatter}",
            )


def _refused(problem: str, remedy: str) -> ConfigError:
    return ConfigError(f'amplitudes = "collapsed": {problem}', remedy=f'{remedy}; or use amplitudes = "sampled"')
