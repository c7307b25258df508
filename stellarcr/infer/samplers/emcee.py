"""Affine ensemble MCMC with emcee: several independent ensembles, moved together in one batch."""

from __future__ import annotations

from typing import Any

import emcee
import numpy as np

from stellarcr.errors import ModelError, RunError
from stellarcr.infer.diagnostics import ChainAssessment, assess_chain
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.base import (
    Clock,
    SamplerResult,
    SavedState,
    Store,
    Trace,
    array_writer,
    interrupted_error,
    read_arrays,
    stored_points,
)
from stellarcr.infer.samplers.chain import StoredChain, capacity_for
from stellarcr.infer.samplers.emcee_settings import EmceeSettings
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.map import MapResult, MapSettings, find_maximum
from stellarcr.infer.samplers.mixture import Mixture, fit_mixture, thin_share
from stellarcr.infer.samplers.mixture_moves import Independence, Local
from stellarcr.infer.samplers.moves import DifferentialEvolution, Heat, Snooker
from stellarcr.infer.samplers.scatter import scatter_walkers

SLOT = "emcee"

MOST_CHUNKS = 64
"""When the chain lies in this many files, the next checkpoint writes it anew into one."""

POWERS = (0.03, 0.06, 0.12, 0.25, 0.5, 0.75)
"""A learning sampler first explores the prior times the likelihood to these powers, each for `heated_steps` per
parameter: other modes are near then, and on cooling walkers stay behind in every mode. With 0.25 and 0.5 alone, and a
mixture that did not know what hotter walkers saw, the reference fit missed nine tenths of the posterior without O-type
winds; with 25 steps instead of 50, most walkers at the end of its curved ridge were lost on cooling."""

LEARN_AFTER = (0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 6.25, 6.5, 7.0, 8.0)
LEARN_ON = (10.0, 15.0)
"""The mixture is fitted anew after so many times the heated steps, to the latter half of the steps since the last
change of temperature; all are burn-in, and the chain that counts is at least as long. Fits of the second row are made
while the one before does not cover what the walkers see."""

LARGEST_THIN_SHARE = 0.002
"""Share of positions since the last fit, thinly covered by it, above which there is another (project choice: in a
reference fit that ended learning with 0.02, walkers sat for thousands of steps at the end of a ridge)."""

_LOCAL_WEIGHTS = (0.8, 0.2)
_LEARNED_WEIGHTS = (0.2, 0.1, 0.4, 0.3)
"""Weights of differential evolution, snooker, and, once learned, the independence move and the local one."""


class _Ensembles(emcee.EnsembleSampler):
    """emcee's loop over moves, with our batched evaluation (emcee's own prints tracebacks)."""

    def __init__(self, evaluator: Evaluator, n_walkers: int, n_dim: int, ensembles: int) -> None:
        moves = list(zip((DifferentialEvolution(ensembles), Snooker(ensembles)), _LOCAL_WEIGHTS, strict=True))
        super().__init__(n_walkers, n_dim, evaluator.log_posterior, moves=moves, vectorize=True)
        self._evaluator, self._ensembles = evaluator, ensembles

    def propose_from(self, mixture: Mixture) -> None:
        """Add the moves that propose from a mixture, or replace them."""
        learned = [Independence(self._ensembles, mixture), Local(self._ensembles, mixture)]
        self._moves: list[Any] = [*self._moves[:2], *learned]
        self._weights = np.array(_LEARNED_WEIGHTS)

    def heat(self, heat: Heat | None) -> None:
        """Sample a heated posterior; None for the posterior itself."""
        for move in self._moves:
            move.heat = heat

    def compute_log_prob(self, coords: FloatArray) -> tuple[FloatArray, None]:
        """Log posterior of a batch of walkers."""
        return self._evaluator.log_posterior(coords), None


class EmceeSampler:
    """MCMC with differential-evolution and snooker moves, and with learned independence and local ones."""

    name = "emcee"
    settings_type = EmceeSettings

    def run(
        self,
        posterior: Posterior,
        settings: EmceeSettings,
        store: Store,
        *,
        start: MapResult | None = None,
    ) -> SamplerResult:
        """Sample until converged or at a limit; see :class:`~stellarcr.infer.samplers.base.Sampler`."""
        walkers = settings.walkers_for(posterior.n_dim)
        total = walkers * settings.ensembles
        # A quarter of all walkers: each half-step makes two chunks.
        chunk = settings.chunk or max(1, total // 4)
        saved = store.load(SLOT)
        calls, seconds = (saved.fields["n_calls"], saved.fields["seconds"]) if saved else (0, 0.0)
        with Evaluator(posterior, workers=settings.workers, chunk=chunk, calls_before=calls) as evaluator:
            run = _EmceeRun(posterior, settings, store, evaluator, walkers, Clock(seconds))
            if saved is None:
                run.begin(start)
            else:
                run.restore(saved)
            run.advance()
            return run.result()


class _EmceeRun:
    """State of one run: the walkers, the stored chain, and what the last checkpoint holds."""

    def __init__(
        self,
        posterior: Posterior,
        settings: EmceeSettings,
        store: Store,
        evaluator: Evaluator,
        walkers: int,
        clock: Clock,
    ) -> None:
        self.settings, self.store, self.evaluator, self.clock = settings, store, evaluator, clock
        self.posterior, self.walkers = posterior, walkers
        self.total = walkers * settings.ensembles
        self.chain = StoredChain(
            self.total, posterior.n_dim, capacity_for(settings.memory_mb, self.total, posterior.n_dim)
        )
        self._heated = settings.heated_steps * posterior.n_dim if settings.learn else 0
        self._fits = tuple(round(self._heated * k) for k in LEARN_AFTER) if settings.learn else ()
        self._later = tuple(round(self._heated * k) for k in LEARN_ON) if settings.learn else ()
        self._recipe = [list(POWERS), self._heated, [*self._fits, *self._later]] if settings.learn else []
        self.accepted = np.zeros(self.total, dtype=np.int64)
        self.step = 0
        self.next_check, self.last_check = settings.check_every, 0
        self.n_written = 0
        self.chunks: tuple[str, ...] = ()
        self.state: Any = None
        self.mixture: Mixture | None = None
        self.assessment: ChainAssessment | None = None

    def begin(self, start: MapResult | None) -> None:
        """Draw the first walkers."""
        begin, chain = np.random.SeedSequence([self.settings.seed, 2]).spawn(2)
        if start is None:
            start = find_maximum(self.posterior, MapSettings(seed=self.settings.seed), self.store)
        rng = np.random.default_rng(begin)
        coords, log_prob = scatter_walkers(
            self.posterior, self.evaluator, start, rng, self.total, self.settings.scatter
        )
        random_state = np.random.RandomState(np.random.MT19937(chain)).get_state()
        self.state = emcee.State(coords, log_prob=log_prob, random_state=random_state)

    def restore(self, saved: SavedState) -> None:
        """Take over a checkpoint; the next step is the one that an uninterrupted run would make."""
        walkers = read_arrays(saved.files["walkers.npz"])
        if walkers["coords"].shape != (self.total, self.posterior.n_dim):
            raise RunError(
                f"the checkpoint holds {walkers['coords'].shape[0]} walkers in {walkers['coords'].shape[1]} "
                f"dimensions, this run has {self.total} in {self.posterior.n_dim}",
                remedy="resume with the settings of the first session, or start anew with --overwrite",
            )
        fits = tuple(saved.fields.get("fits", self._fits))
        if fits and saved.fields["step"] <= fits[-1] and saved.fields.get("recipe") != self._recipe:
            raise RunError(
                f"the checkpoint, at step {saved.fields['step']}, is of a chain that learns by another recipe",
                remedy="finish it with the version of stellarcr that began it, or start anew with --overwrite",
            )
        self._fits = fits
        self.chunks = tuple(saved.fields["chunks"])
        parts = [read_arrays(saved.files[label]) for label in self.chunks]
        if parts:
            self.chain.restore(
                saved.fields["stride"],
                np.concatenate([p["coords"] for p in parts]),
                np.concatenate([p["log_prob"] for p in parts]),
            )
        if "mixture.npz" in saved.files:
            self.mixture = Mixture(**read_arrays(saved.files["mixture.npz"]))
        self.n_written = self.chain.n_stored
        self.step = saved.fields["step"]
        self.next_check, self.last_check = saved.fields["next_check"], saved.fields["last_check"]
        self.accepted = walkers["accepted"]
        generator = (
            "MT19937",
            walkers["generator_key"],
            int(walkers["generator_position"]),
            int(walkers["generator_has_gauss"]),
            float(walkers["generator_gauss"]),
        )
        self.state = emcee.State(walkers["coords"], log_prob=walkers["log_prob"], random_state=generator)

    def checkpoint(self) -> None:
        """Write the steps stored since the last checkpoint, and the walkers with the generator's state."""
        if self.n_written == 0 or len(self.chunks) >= MOST_CHUNKS:
            self.chunks, self.n_written = (), 0
        added = {}
        if self.chain.n_stored > self.n_written:
            label = f"chain-{self.step:09d}.npz"
            new = slice(self.n_written, self.chain.n_stored)
            added[label] = array_writer(coords=self.chain.coords[new], log_prob=self.chain.log_prob[new])
        _, key, position, has_gauss, gauss = self.state.random_state
        added["walkers.npz"] = array_writer(
            coords=self.state.coords,
            log_prob=self.state.log_prob,
            accepted=self.accepted,
            generator_key=key,
            generator_position=np.array(position),
            generator_has_gauss=np.array(has_gauss),
            generator_gauss=np.array(gauss),
        )
        if self.mixture is not None:
            added["mixture.npz"] = array_writer(**self.mixture.as_arrays())
        chunks = self.chunks + tuple(label for label in added if label.startswith("chain-"))
        fields = {
            "step": self.step,
            "next_check": self.next_check,
            "last_check": self.last_check,
            "stride": self.chain.stride,
            "n_calls": self.evaluator.n_calls,
            "seconds": self.clock.seconds,
            "chunks": list(chunks),
            "recipe": self._recipe,
            "fits": list(self._fits),
            "stored_points": stored_points("log_posterior", self.state.coords, self.state.log_prob),
        }
        self.store.commit(SLOT, fields, add=added, keep=self.chunks)
        self.chunks, self.n_written = chunks, self.chain.n_stored

    def advance(self) -> None:
        """Step until converged, at a limit, or interrupted."""
        if self.step and (self._limit() or (self.step == self.last_check and self._check())):
            return
        sampler = _Ensembles(self.evaluator, self.total, self.posterior.n_dim, self.settings.ensembles)
        if self.mixture is not None:
            sampler.propose_from(self.mixture)
        steps = sampler.sample(self.state, iterations=None, store=False, skip_initial_state_check=True)
        while True:
            # A failed step leaves walkers half moved: the copy from before it is the one to keep.
            before = emcee.State(self.state, copy=True)
            sampler.heat(self._heat(self.step // self._heated if self._heated else len(POWERS)))
            try:
                state = next(steps)
            except (ModelError, RunError):
                self.state = before
                self.checkpoint()
                raise
            self._take(state, before)
            if self.step in self._fits:
                self._plan_another_fit()
                self.mixture = self._learn()
                sampler.propose_from(self.mixture)
            # The test comes first, so that the steps at which it is made never depend on an interrupt.
            if self.step >= self.next_check and self._check():
                break
            if self.store.interrupted:
                self.checkpoint()
                raise interrupted_error(SLOT, self.evaluator.n_calls)
            if self._limit():
                break
            if self.store.checkpoint_due(self.settings.checkpoint_every):
                self.checkpoint()
        self.checkpoint()

    def _take(self, state: Any, before: Any) -> None:
        self.step += 1
        self.state = state
        self.accepted += np.any(state.coords != before.coords, axis=1)
        if self.chain.add(self.step, state.coords, state.log_prob):
            # Steps on disk were dropped from the chain: the next checkpoint writes it anew, thinned.
            self.n_written = 0

    def _heat(self, stage: int) -> Heat | None:
        """What is sampled in a stage of learning: the prior times a power of the likelihood, at last the posterior."""
        if stage >= len(POWERS):
            return None
        return Heat(POWERS[stage], self.posterior.log_prior)

    def _learn(self) -> Mixture:
        """Fit the mixture to the latter half of the steps at this temperature, and to what hotter walkers saw."""
        stage = min((self.step - 1) // self._heated, len(POWERS))
        heat = self._heat(stage)
        parts = [self._latter_half(k * self._heated, (k + 1) * self._heated) for k in range(stage)]
        parts.append(self._latter_half(stage * self._heated, self.step))
        if heat is not None:
            parts = [(coords, heat(coords, log_prob)) for coords, log_prob in parts]
        hotter = [np.concatenate(part) for part in zip(*parts[:-1], strict=True)]
        return fit_mixture(*parts[-1], self.settings.seed + self.step, (hotter[0], hotter[1]) if hotter else None)

    def _plan_another_fit(self) -> None:
        """Learn on at the last planned fit if the mixture so far does not cover what was seen since it was made."""
        later = [fit for fit in self._later if fit > self.step]
        if self.mixture is None or self.step < self._fits[-1] or not later:
            return
        if thin_share(self.mixture, *self._between(self._fits[-2], self.step)) > LARGEST_THIN_SHARE:
            self._fits = (*self._fits, later[0])

    def _latter_half(self, begin: int, end: int) -> tuple[FloatArray, FloatArray]:
        """Positions and log posterior in the latter half of the steps after `begin` and up to `end`."""
        return self._between(begin + (end - begin) // 2, end)

    def _between(self, begin: int, end: int) -> tuple[FloatArray, FloatArray]:
        """Positions and log posterior in the steps after `begin` and up to `end`."""
        steps = self.chain.stride * (1 + np.arange(self.chain.n_stored))
        first, last = np.searchsorted(steps, [begin, end], side="right")
        coords, log_prob = self.chain.coords[first:last], self.chain.log_prob[first:last]
        return coords.reshape(-1, self.posterior.n_dim), log_prob.ravel()

    def _assess(self) -> ChainAssessment:
        shape = (self.chain.n_stored, self.settings.ensembles, self.walkers)
        return assess_chain(
            self.chain.coords.reshape(*shape, -1),
            self.chain.log_prob.reshape(shape),
            self.chain.stride,
            self.step,
            max([self._heated * len(POWERS), *(fit for fit in self._fits if fit <= self.step)]),
        )

    def _check(self) -> bool:
        """Test convergence, plan the next test, report."""
        assessment = self._assess()
        self.last_check = self.step
        self.next_check = max(self.step + self.settings.check_every, int(np.ceil(1.1 * self.step)))
        tau = float(np.max(assessment.tau))
        self.store.report(
            sampler=SLOT,
            calls=self.evaluator.n_calls,
            steps=self.step,
            tau=tau,
            rhat=float(np.max(assessment.rhat)),
            length_in_tau=assessment.length_in_tau,
            ess=assessment.effective_samples,
            acceptance=float(np.mean(self.accepted)) / self.step,
            seconds=self.clock.seconds,
            remaining_seconds=self._remaining_seconds(assessment),
        )
        return (
            self._learned
            and self.step >= self.settings.min_steps
            and assessment.converged(self.settings.target_tau, self.settings.target_rhat)
        )

    @property
    def _learned(self) -> bool:
        """Whether learning is over, and the chain since then is as long as what went before."""
        return not self._fits or self.step >= 2 * self._fits[-1]

    def _remaining_seconds(self, assessment: ChainAssessment) -> float:
        """Time to the target length at the present pace; infinite while tau is unknown."""
        wanted = self.settings.target_tau * float(np.max(assessment.tau)) + assessment.burn_in
        return max(0.0, wanted / self.step - 1.0) * self.clock.seconds

    def _limit(self) -> str:
        """Name the limit that is reached, or give an empty string."""
        settings = self.settings
        if self.step >= settings.max_steps:
            return f"max_steps = {settings.max_steps}"
        if settings.max_calls is not None and self.evaluator.n_calls >= settings.max_calls:
            return f"max_calls = {settings.max_calls}"
        if settings.max_time is not None and self.clock.seconds >= settings.max_time:
            return f"max_time = {settings.max_time:g} s"
        return ""

    def result(self) -> SamplerResult:
        """Discard the burn-in, thin, and say how far the chain is."""
        settings = self.settings
        assessment = self._assess()
        converged = self._learned and assessment.converged(settings.target_tau, settings.target_rhat)
        verdict = assessment.verdict(settings.target_tau, settings.target_rhat)
        if not self._learned:
            verdict = verdict.removeprefix("not ").replace("converged", "not converged", 1)
            verdict += f"; the mixture is learned until step {self._fits[-1]}, and as many steps must follow"
            if heat := self._heat((self.step - 1) // self._heated):
                verdict += (
                    f"; THESE ARE NOT SAMPLES OF THE POSTERIOR: at step {self.step} the likelihood still counts to the "
                    f"power {heat.power:g} only (resume, or learn with fewer heated_steps)"
                )
        if not converged and (limit := self._limit()):
            verdict += f"; stopped at {limit}"
        first = assessment.burn_in // self.chain.stride
        rest = self.chain.n_stored - first
        tau = float(np.max(assessment.tau))
        # Half a tau apart samples are nearly independent; more of them would only fill the archive.
        thin = max(1, round(tau / 2 / self.chain.stride)) if np.isfinite(tau) else 1
        thin = min(max(thin, -(-rest * self.total // settings.draws)), rest)
        picked = slice(first + (rest - 1) % thin, None, thin)
        shape = (-1, settings.ensembles, self.walkers)
        coords = self.chain.coords[picked].reshape(*shape, self.posterior.n_dim)
        log_prob = self.chain.log_prob[picked].reshape(shape)
        return SamplerResult(
            sampler=SLOT,
            samples=coords.swapaxes(0, 1).reshape(settings.ensembles, -1, self.posterior.n_dim),
            log_posterior=log_prob.swapaxes(0, 1).reshape(settings.ensembles, -1),
            converged=converged,
            verdict=verdict,
            n_calls=self.evaluator.n_calls,
            seconds=self.clock.seconds,
            diagnostics={
                "steps": self.step,
                "walkers": self.walkers,
                "ensembles": settings.ensembles,
                "burn_in": assessment.burn_in,
                "thin": thin * self.chain.stride,
                "tau": assessment.tau,
                "rhat": assessment.rhat,
                "length_in_tau": assessment.length_in_tau,
                "ess": assessment.effective_samples,
                "acceptance": float(np.mean(self.accepted)) / max(self.step, 1),
            },
            trace=self._trace(),
        )

    def _trace(self, steps: int = 400, walkers: int = 8) -> Trace:
        """Take evenly spaced steps of the first walkers of each ensemble."""
        every = -(-self.chain.n_stored // steps)
        shape = (-1, self.settings.ensembles, self.walkers)
        coords = self.chain.coords[::every].reshape(*shape, self.posterior.n_dim)[:, :, :walkers]
        log_prob = self.chain.log_prob[::every].reshape(shape)[:, :, :walkers]
        numbers = self.chain.stride * (1 + np.arange(self.chain.n_stored))[::every]
        return Trace(numbers, coords.swapaxes(0, 1).copy(), log_prob.swapaxes(0, 1).copy())
