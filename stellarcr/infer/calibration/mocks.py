"""One mock of a calibration: draw a truth and data, fit, rank the truth among posterior draws."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ...errors import StellarcrError
from ..posterior_protocol import Collapsed, FloatArray, Posterior
from ..samplers import MemoryStore, get_sampler
from ..samplers.map import MapSettings, find_maximum
from ..samplers.settings import SamplerSettings

LOG_LIKELIHOOD = "log_likelihood"
"""Name of the test quantity besides the parameters. It depends on the data: ranks of parameters alone stay uniform if a
fit ignores the data and gives back its prior."""


_ROUNDING = 0.01
"""In ln of the posterior: what a search may leave of its last step."""


@dataclass(frozen=True)
class MockRecord:
    """What is kept of one mock.

    Attributes
    ----------
    index : int
        Number of the mock; with the calibration's seed it decides everything random.
    truth : dict of float
        Parameters that the data were drawn with.
    ranks : dict of int
        How many posterior draws lie below the truth, by parameter, and for `LOG_LIKELIHOOD`; empty after an error.
    converged : bool
        Whether the sampler says so, its effective samples are at least as many as the draws, and no mode was missed.
    above_maximum : float or None
        ln of the posterior at the truth over the largest that search and sampler found. Positive: they missed a mode,
        for certain.
    verdict : str
        The sampler's own words, or the error that ended the fit.
    effective_samples : float or None
        As the sampler reports them.
    calls : int
        Likelihood evaluations.
    seconds : float
        Time of the fit.
    """

    index: int
    truth: dict[str, float]
    ranks: dict[str, int] = field(default_factory=dict)
    converged: bool = False
    verdict: str = ""
    effective_samples: float | None = None
    above_maximum: float | None = None
    calls: int = 0
    seconds: float = 0.0

    @property
    def missed_mode(self) -> bool:
        """Whether the truth is more probable than all that was found."""
        return self.above_maximum is not None and self.above_maximum > _ROUNDING

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class MockFit:
    """What every mock of a calibration shares; picklable, if `simulate` is.

    Attributes
    ----------
    posterior : Posterior
        Gives the prior from which truths are drawn.
    simulate : callable
        Takes a truth ``(n_dim,)`` and a random generator, and gives the posterior of data drawn at that truth; one from
        which parameters are integrated out must give them back.
    sampler : str
        Name of the sampler.
    settings : SamplerSettings
        Its settings; the seed is replaced for every mock.
    map_settings : MapSettings
        Settings of the search for the maximum, where the chains start.
    seed : int
        Of the calibration.
    draws : int
        L, posterior draws among which a truth is ranked.
    """

    posterior: Posterior
    simulate: Callable[[FloatArray, np.random.Generator], Posterior]
    sampler: str
    settings: SamplerSettings
    map_settings: MapSettings
    seed: int
    draws: int = 99

    def __call__(self, index: int) -> MockRecord:
        """Draw, fit and rank one mock; the outcome depends on seed and index alone.

        A fit that fails or does not converge is recorded as such: leaving it out would bias the ranks.
        """
        rng, fit_seed = mock_random(self.seed, index)
        theta = self.posterior.sample_prior(rng, 1)[0]
        truth = dict(zip(self.posterior.names, theta.tolist(), strict=True))
        try:
            with threadpool_limits(1):
                return self._fit(index, theta, truth, self.simulate(theta, rng), rng, fit_seed)
        except StellarcrError as error:
            return MockRecord(index, truth, verdict=f"failed: {error.problem}")
        except Exception as error:  # of a sampler's own: it would end the calibration at this mock, each time anew
            return MockRecord(index, truth, verdict=f"failed: {type(error).__name__}: {error}")

    def _fit(
        self,
        index: int,
        theta: FloatArray,
        truth: dict[str, float],
        mock: Posterior,
        rng: np.random.Generator,
        seed: int,
    ) -> MockRecord:
        store = MemoryStore()
        start = find_maximum(mock, replace(self.map_settings, seed=seed), store)
        result = get_sampler(self.sampler).run(mock, replace(self.settings, seed=seed), store, start=start)
        if isinstance(mock, Collapsed):
            mock, start, result = mock.restored(start, result, seed)
        samples = result.samples.reshape(-1, len(theta))
        effective = result.diagnostics.get("ess")
        enough = len(samples) >= self.draws
        record = MockRecord(
            index=index,
            truth=truth,
            converged=result.converged and enough and (effective is None or effective >= self.draws),
            verdict=result.verdict,
            effective_samples=None if effective is None else float(effective),
            calls=start.n_calls + result.n_calls,
            seconds=start.seconds + result.seconds,
        )
        if not enough:
            return replace(record, verdict=f"failed: {len(samples)} samples for {self.draws} draws; {result.verdict}")
        # A random choice of few out of many effective samples is nearly independent.
        drawn = samples[rng.choice(len(samples), self.draws, replace=False)]
        likelihood = mock.log_likelihood(np.concatenate([theta[None, :], drawn]))
        found = max(start.log_posterior, float(np.max(result.log_posterior)))
        above = float(mock.log_posterior(theta[None, :])[0]) - found
        record = replace(record, above_maximum=above)
        if record.missed_mode:
            verdict = (
                f"missed a mode: ln posterior of the truth is {above:.1f} above all that was found; {result.verdict}"
            )
            record = replace(record, converged=False, verdict=verdict)
        ranks = {name: rank_among(theta[k], drawn[:, k], rng) for k, name in enumerate(truth)}
        return replace(record, ranks=ranks | {LOG_LIKELIHOOD: rank_among(likelihood[0], likelihood[1:], rng)})


def mock_random(seed: int, index: int) -> tuple[np.random.Generator, int]:
    """Everything random about a mock: the generator that draws truth and data, in this order, and the fit's seed.

    Parameters
    ----------
    seed : int
        Of the calibration, or of a set of mock data.
    index : int
        Number of the mock: its stream depends on no other mock.
    """
    root = np.random.SeedSequence(seed, spawn_key=(index,))
    return np.random.default_rng(root.spawn(1)[0]), int(root.generate_state(1)[0])


def rank_among(truth: float, draws: FloatArray, rng: np.random.Generator) -> int:
    """Count the draws ``(n,)`` below a truth; its place among equal ones is drawn, which keeps ranks uniform."""
    return int(np.sum(draws < truth)) + int(rng.integers(np.sum(draws == truth) + 1))
