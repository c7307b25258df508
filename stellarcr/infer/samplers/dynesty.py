"""Nested sampling with dynesty: evidence and posterior, static or dynamic."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, BinaryIO

import dynesty
import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.errors import RunError
from stellarcr.infer.diagnostics import kish_sample_size
from stellarcr.infer.posterior_protocol import Posterior
from stellarcr.infer.samplers.base import (
    Clock,
    SamplerResult,
    SavedState,
    Store,
    WeightedSamples,
    interrupted_error,
    stored_points,
)
from stellarcr.infer.samplers.batched_walk import BatchedWalk, LockstepPool
from stellarcr.infer.samplers.dynesty_parts import (
    CONDITION,
    SamplerPickler,
    SamplerUnpickler,
    birth_contours,
    integrals,
    lost_directions,
    range_of_batch,
)
from stellarcr.infer.samplers.dynesty_settings import DynestySettings
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.map import MapResult
from stellarcr.infer.samplers.nested_parts import draw_live_points, equal_weight_indices
from stellarcr.infer.samplers.scalar import ScalarPool

SLOT = "dynesty"


class DynestySampler:
    """Nested sampling by random walks in bounding ellipsoids."""

    name = "dynesty"
    settings_type = DynestySettings

    def run(
        self,
        posterior: Posterior,
        settings: DynestySettings,
        store: Store,
        *,
        start: MapResult | None = None,
    ) -> SamplerResult:
        """Sample until `dlogz`, or at a limit; see :class:`~stellarcr.infer.samplers.base.Sampler`.

        The maximum `start` is not used: nested sampling begins with the whole prior.
        """
        saved = store.load(SLOT)
        calls, seconds = (saved.fields["n_calls"], saved.fields["seconds"]) if saved else (0, 0.0)
        pool = _pool(posterior, settings, calls)
        caught: list[warnings.WarningMessage] = []
        try:
            # dynesty speaks through warnings; they belong in the run's log.
            with threadpool_limits(1), warnings.catch_warnings(record=True) as recorded:
                caught = recorded
                warnings.simplefilter("always")
                run = _DynestyRun(posterior, settings, store, pool, Clock(seconds))
                if saved is None:
                    run.begin()
                else:
                    run.restore(saved)
                run.advance()
            return run.result()
        finally:
            pool.close()
            for source, line in sorted({(Path(w.filename).parent.name, str(w.message)) for w in caught}):
                store.note(f"warning from {source}: {line}")


def _pool(posterior: Posterior, settings: DynestySettings, calls: int) -> LockstepPool | ScalarPool:
    if settings.batch == 0:
        return ScalarPool(posterior, settings.workers, settings.queue_size, calls)
    chunk = settings.chunk or max(1, settings.batch // 2)
    evaluator = Evaluator(posterior, workers=settings.workers, chunk=chunk, calls_before=calls)
    return LockstepPool(posterior, evaluator, settings.batch)


class _Stop(Exception):  # noqa: N818 - control flow
    """A limit is reached: leave dynesty's loop."""


class _DynestyRun:
    """State of one run. dynesty's own object is the state; a checkpoint is its pickle."""

    # In these phases dynesty's object is between two states and must not be saved. In RUN_DONE it reports only while
    # the first batch of an extension is being set up.
    UNSAVABLE = frozenset({"INBASEADDLIVE", "INBATCHADDLIVE", "BATCH_DONE", "RUN_DONE"})

    def __init__(
        self,
        posterior: Posterior,
        settings: DynestySettings,
        store: Store,
        pool: LockstepPool | ScalarPool,
        clock: Clock,
    ) -> None:
        self.posterior, self.settings, self.store = posterior, settings, store
        self.pool, self.clock = pool, clock
        self.dynamic = settings.mode == "dynamic"
        self.sampler: Any = None
        self.resumed = self.finished = False
        self.live_points: Any = None
        # ln of the possible fraction of the prior, and its error.
        self.possible = (0.0, 0.0)
        self.limit = ""
        self._last_report: tuple[float, float, int] | None = None

    def begin(self) -> None:
        """Draw the first live points."""
        n_dim, settings = self.posterior.n_dim, self.settings
        nlive = settings.nlive_for(n_dim)
        draws, walks = (np.random.default_rng(s) for s in np.random.SeedSequence([settings.seed, 3]).spawn(2))
        first = draw_live_points(self.posterior, self.pool.log_likelihoods, draws, nlive)
        self.possible = (first.log_fraction, first.log_fraction_error)
        if first.log_fraction < 0.0:
            # Only then: dynesty divides by its own count of calls, which given points leave at zero.
            self.live_points = [first.unit, first.theta, first.log_likelihood]
        kind, options = (
            (dynesty.DynamicNestedSampler, {})
            if self.dynamic
            else (dynesty.NestedSampler, {"live_points": self.live_points})
        )
        walk = BatchedWalk if settings.batch else dynesty.internal_samplers.RWalkSampler
        self.sampler = kind(
            self.pool.functions.log_likelihood,
            self.pool.functions.prior_transform,
            n_dim,
            nlive=nlive,
            bound=settings.bound,
            sample=walk(walks=settings.walks_for(n_dim), facc=settings.acceptance, ndim=n_dim, ncdim=n_dim),
            facc=settings.acceptance,
            rstate=walks,
            pool=self.pool,
            queue_size=self.pool.size,
            **options,
        )

    def restore(self, saved: SavedState) -> None:
        """Take over a checkpoint."""
        if saved.fields["dynesty"] != dynesty.__version__:
            raise RunError(
                f"the checkpoint was written by dynesty {saved.fields['dynesty']}, this is {dynesty.__version__}",
                remedy=f"install dynesty=={saved.fields['dynesty']} to resume, or start anew with --overwrite",
            )
        self.sampler = SamplerUnpickler(saved.files["sampler.pickle"], self.pool.functions).load()
        inner = [getattr(self.sampler, name, None) for name in ("sampler", "batch_sampler")]
        for sampler in [self.sampler, *inner]:
            if sampler is not None:
                sampler.pool, sampler.mapper, sampler.queue_size = self.pool, self.pool.map, self.pool.size
        # A finished dynamic run goes on if more effective samples are asked for now.
        reached = saved.fields.get("n_effective", self.settings.n_effective)
        self.finished = saved.fields["finished"] and self.settings.n_effective <= reached
        self.resumed = not (self.dynamic and self.sampler.internal_state.name == "RUN_DONE")
        self.possible = tuple(saved.fields["possible"])

    def checkpoint(self) -> None:
        """Write dynesty's object, without the problem that it points to."""

        def write(file: BinaryIO) -> None:
            SamplerPickler(file).dump(self.sampler)

        fields = {
            "dynesty": dynesty.__version__,
            "n_calls": self.pool.n_calls,
            "seconds": self.clock.seconds,
            "finished": self.finished,
            "n_effective": self.settings.n_effective,
            "possible": list(self.possible),
            "stored_points": self._stored_points(),
        }
        self.store.commit(SLOT, fields, add={"sampler.pickle": write})

    def _stored_points(self) -> dict[str, Any]:
        record = self.sampler.saved_run
        theta, values = np.array(record["v"][-8:]), np.array(record["logl"][-8:], dtype=float)
        if len(values) == 0:
            return stored_points("log_likelihood", np.empty((0, self.posterior.n_dim)), values)
        return stored_points("log_likelihood", theta, values)

    def advance(self) -> None:
        """Sample until dynesty stops, a limit is reached, or a signal arrives."""
        if self.finished:
            return
        settings = self.settings
        options: dict[str, Any] = (
            {
                "dlogz_init": settings.dlogz,
                "n_effective": settings.n_effective,
                "live_points": self.live_points,
                "wt_function": range_of_batch,
            }
            if self.dynamic
            else {"dlogz": settings.dlogz}
        )
        try:
            self.sampler.run_nested(
                **options, resume=self.resumed, save_bounds=False, print_progress=True, print_func=self._on_step
            )
        except _Stop:
            return
        self.finished = True
        self.checkpoint()

    def _on_step(self, results: Any, niter: int, ncall: int, **state: Any) -> None:
        """Act between two iterations: dynesty calls this where it would print its progress."""
        if not self._savable():
            return
        if self.store.interrupted:
            self.checkpoint()
            raise interrupted_error(SLOT, self.pool.n_calls)
        self.limit = self._limit()
        if self.limit:
            self.checkpoint()
            raise _Stop
        if self.store.checkpoint_due(self.settings.checkpoint_every):
            self.checkpoint()
        if niter % 100 == 0:
            self._report(results, niter, state)

    def _savable(self) -> bool:
        if self.dynamic:
            return self.sampler.internal_state.name not in self.UNSAVABLE
        return not self.sampler.added_live

    def _limit(self) -> str:
        settings = self.settings
        if settings.max_calls is not None and self.pool.n_calls >= settings.max_calls:
            return f"max_calls = {settings.max_calls}"
        if settings.max_time is not None and self.clock.seconds >= settings.max_time:
            return f"max_time = {settings.max_time:g} s"
        return ""

    def _report(self, results: Any, niter: int, state: dict[str, Any]) -> None:
        remaining = float(results.delta_logz)
        self.store.report(
            sampler=SLOT,
            calls=self.pool.n_calls,
            iterations=niter,
            log_evidence=float(results.logz) + self.possible[0],
            log_evidence_error=float(np.sqrt(max(results.logzvar, 0.0))),
            remaining_log_evidence=remaining,
            batch=int(state.get("nbatch") or 0),
            ess=float(self.sampler.n_effective),
            seconds=self.clock.seconds,
            remaining_seconds=self._remaining_seconds(remaining, niter),
        )

    def _remaining_seconds(self, remaining: float, niter: int) -> float:
        """Extrapolate: the remaining ln Z falls first linearly, at last as exp(-iterations / nlive)."""
        now, last = (self.clock.seconds, remaining, niter), self._last_report
        self._last_report = now
        if last is None or now[2] <= last[2] or not np.isfinite(remaining):
            return float("inf")
        pace = (now[0] - last[0]) / (now[2] - last[2])
        fall = (last[1] - remaining) / (now[2] - last[2])
        if fall <= 0.0:  # early on it may rise; nothing can be extrapolated then
            return float("inf")
        linear = max(remaining - 1.0, 0.0) / fall
        tail = self.settings.nlive_for(self.posterior.n_dim) * np.log(
            max(min(remaining, 1.0) / self.settings.dlogz, 1.0)
        )
        return float(pace * (linear + tail))

    def result(self) -> SamplerResult:
        """Turn dynesty's record into posterior samples and an evidence."""
        record = self._record()
        theta, log_likelihood, log_volume, log_weight, log_z, log_z_error = integrals(record)
        log_possible, log_possible_error = self.possible
        nested = WeightedSamples(
            theta,
            log_weight - log_z,
            log_likelihood,
            log_volume + log_possible,
            log_likelihood_birth=None if self.dynamic else birth_contours(record),
        )
        ess = kish_sample_size(nested.log_weight)
        rng = np.random.default_rng(np.random.SeedSequence([self.settings.seed, 4]))
        picked = equal_weight_indices(nested.log_weight, min(self.settings.draws, int(np.ceil(ess))), rng)
        samples = theta[picked]
        n_dim = self.posterior.n_dim
        goal = (
            f"{ess:.0f} effective samples (target {self.settings.n_effective})"
            if self.dynamic
            else f"ln Z can still grow by less than {self.settings.dlogz:g}"
        )
        verdict = (
            f"converged: {goal}"
            if self.finished
            else f"not converged: stopped at {self.limit} before {goal}; ln Z is a lower estimate"
        )
        lost = lost_directions(np.array(record["u"])[-self.settings.nlive_for(n_dim) :], self.posterior.names)
        stuck = bool(lost) and self.settings.batch == 0
        if lost:
            remark = f"prior and data contradict each other in {', '.join(lost)}"
            verdict = (
                f"not reliable: {remark}; the posterior fills so little of the prior there (below {CONDITION:g}) that "
                "dynesty's own walks get stuck: sample in batches (batch > 0)"
                if stuck
                else f"{verdict}; {remark}, so ln Z rests on the far tail of the prior"
            )
        return SamplerResult(
            sampler=SLOT,
            samples=samples[np.newaxis],
            log_posterior=(log_likelihood[picked] + self.posterior.log_prior(samples))[np.newaxis],
            converged=self.finished and not stuck,
            verdict=verdict,
            n_calls=self.pool.n_calls,
            seconds=self.clock.seconds,
            diagnostics={
                "iterations": len(theta),
                "nlive": self.settings.nlive_for(n_dim),
                "walks": self.settings.walks_for(n_dim),
                "ess": ess,
                "possible_prior_fraction": float(np.exp(log_possible)),
                "efficiency": len(theta) / max(self.pool.n_calls, 1),
            },
            log_evidence=log_z + log_possible,
            log_evidence_error=float(np.hypot(log_z_error, log_possible_error)),
            nested=nested,
        )

    def _record(self) -> Any:
        """Give the record of samples; of an unfinished base run, completed with its live points."""
        base = self.sampler.sampler if self.dynamic else self.sampler
        if self.finished or (self.dynamic and self.sampler.internal_state.name not in ("LIVEPOINTSINIT", "INBASE")):
            return self.sampler.saved_run
        for _ in base.add_live_points():
            pass
        return base.saved_run
