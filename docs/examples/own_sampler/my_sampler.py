"""A sampler of one's own: walkers that move along differences of others."""

from dataclasses import dataclass

import numpy as np

from stellarcr.infer.diagnostics import autocorrelation_time
from stellarcr.infer.samplers import SamplerResult, SamplerSettings
from stellarcr.infer.samplers.base import Clock, array_writer, interrupted_error, read_arrays, stored_points
from stellarcr.infer.samplers.evaluate import Evaluator

SLOT = "Differences"  # the slot of checkpoints has the name of the class


@dataclass(frozen=True, kw_only=True)
class Options(SamplerSettings):
    """Options besides those that all samplers have."""

    walkers: int = 100
    max_steps: int = 2000

    LIMITS = SamplerSettings.LIMITS | {"max_steps"}  # may change when a run is resumed

    def __post_init__(self):
        super().__post_init__()
        self._require_integer("walkers", 8)
        self._require_integer("max_steps", 10)


class Differences:
    """Differential evolution: half of the walkers move along differences within the other half, in turn."""

    settings_type = Options

    def run(self, posterior, settings, store, *, start=None):
        """Sample, or go on from the store's checkpoint."""
        saved = store.load(SLOT)
        calls, seconds = (saved.fields["n_calls"], saved.fields["seconds"]) if saved else (0, 0.0)
        clock, limit = Clock(seconds), ""
        workers, chunk = settings.workers, settings.chunk or 64
        with Evaluator(posterior, workers=workers, chunk=chunk, calls_before=calls) as evaluator:
            if saved:
                arrays = read_arrays(saved.files["chain.npz"])
                chain, values = list(arrays["chain"]), list(arrays["values"])
            else:
                # The best of many draws from the prior: none of them is impossible, unless nearly all are.
                draws = posterior.sample_prior(np.random.default_rng([settings.seed, 0]), 50 * settings.walkers)
                value = evaluator.log_posterior(draws)
                best = np.argsort(value)[-settings.walkers :]
                chain, values = [draws[best]], [value[best]]

            def checkpoint():
                state = {"n_calls": evaluator.n_calls, "seconds": clock.seconds}
                state["stored_points"] = stored_points("log_posterior", chain[-1], values[-1])
                store.commit(SLOT, state, add={"chain.npz": array_writer(chain=chain, values=values)})

            while len(chain) < settings.max_steps and not limit:
                # A generator for each step: a resumed run draws what an uninterrupted one would.
                rng = np.random.default_rng([settings.seed, len(chain)])
                here, value = step(evaluator, rng, chain[-1], values[-1])
                chain.append(here)
                values.append(value)
                if store.interrupted:
                    checkpoint()
                    raise interrupted_error(SLOT, evaluator.n_calls)
                if settings.max_calls and evaluator.n_calls >= settings.max_calls:
                    limit = f"max_calls = {settings.max_calls}"
                if settings.max_time and clock.seconds >= settings.max_time:
                    limit = f"max_time = {settings.max_time:g} s"
                if store.checkpoint_due(settings.checkpoint_every):
                    checkpoint()
                if len(chain) % 100 == 0:
                    store.report(sampler=SLOT, calls=evaluator.n_calls, steps=len(chain), seconds=clock.seconds)
            checkpoint()
            return result(np.array(chain), np.array(values), settings, evaluator.n_calls, clock.seconds, limit)


def step(evaluator, rng, here, value):
    """Move all walkers once."""
    here, value = here.copy(), value.copy()
    n, n_dim = here.shape
    for movers, others in ((slice(0, n // 2), slice(n // 2, n)), (slice(n // 2, n), slice(0, n // 2))):
        pool, count = here[others], len(here[movers])
        first = rng.integers(len(pool), size=count)
        second = (first + rng.integers(1, len(pool), size=count)) % len(pool)
        # Ter Braak's factor, and now and then a whole difference: a jump from peak to peak.
        factor = np.where(rng.random(count) < 0.1, 1.0, 2.38 / np.sqrt(2 * n_dim))[:, np.newaxis]
        trial = here[movers] + factor * (pool[first] - pool[second]) * (1 + 0.1 * rng.standard_normal((count, 1)))
        trial_value = evaluator.log_posterior(trial)
        better = np.log(rng.random(count)) < trial_value - value[movers]
        here[movers][better], value[movers][better] = trial[better], trial_value[better]
    return here, value


def result(chain, values, settings, n_calls, seconds, limit):
    """Drop the first half, thin, and say how far the chain is."""
    chain, values = chain[len(chain) // 2 :], values[len(chain) // 2 :]
    n_steps, n_walkers, n_dim = chain.shape
    taus = np.array([autocorrelation_time(chain[:, :, i]) for i in range(n_dim)])
    tau = taus.max()
    converged = bool(n_steps > 50 * tau) and not limit
    length = f"{n_steps} steps after burn-in are {n_steps / tau:.0f} autocorrelation times"
    stopped = f"; stopped at {limit}" if limit else ""
    thin = max(1, int(tau / 2) if np.isfinite(tau) else 1, n_steps * n_walkers // settings.draws)
    return SamplerResult(
        sampler=SLOT,
        samples=chain[::thin].reshape(1, -1, n_dim),
        log_posterior=values[::thin].reshape(1, -1),
        converged=converged,
        verdict=f"{'converged' if converged else 'not converged'}: {length} (50 needed){stopped}",
        n_calls=n_calls,
        seconds=seconds,
        diagnostics={"steps": n_steps, "tau": taus, "ess": n_steps * n_walkers / tau},
    )
