"""Nested sampling with UltraNest's slice steps: a cautious second opinion on posterior and evidence."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from stellarcr.errors import RunError, StellarcrError
from stellarcr.infer.diagnostics import kish_sample_size
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers import require_sampler
from stellarcr.infer.samplers.base import (
    Clock,
    SamplerResult,
    SavedState,
    Store,
    WeightedSamples,
    array_writer,
    interrupted_error,
    read_arrays,
    stored_points,
)
from stellarcr.infer.samplers.dynesty_parts import lost_directions
from stellarcr.infer.samplers.evaluate import Evaluator
from stellarcr.infer.samplers.map import MapResult
from stellarcr.infer.samplers.nested_parts import draw_live_points, equal_weight_indices
from stellarcr.infer.samplers.ultranest_parts import (
    STOP,
    Batches,
    FirstPoints,
    OneProcess,
    RecordedSteps,
    birth_contours,
    quiet_and_restored,
)
from stellarcr.infer.samplers.ultranest_settings import UltraNestSettings

SLOT = "ultranest"

MOST_CHUNKS = 40
"""Files of a checkpoint, after which they are merged into one."""


class UltraNestSampler:
    """Nested sampling by slice steps along the axes of the live points' regions.

    The parameters that UltraNest sees are those of the unit cube. The number of live points is constant: what
    UltraNest calls improvement loops is left to repeated seeds.
    """

    name = SLOT
    settings_type = UltraNestSettings

    def run(
        self,
        posterior: Posterior,
        settings: UltraNestSettings,
        store: Store,
        *,
        start: MapResult | None = None,
    ) -> SamplerResult:
        """Sample until `dlogz`, or at a limit; see :class:`~stellarcr.infer.samplers.base.Sampler`.

        The maximum `start` is not used: nested sampling begins with the whole prior.
        """
        require_sampler(self.name)
        saved = store.load(SLOT)
        calls, seconds = (saved.fields["n_calls"], saved.fields["seconds"]) if saved else (0, 0.0)
        chunk = settings.chunk or max(1, settings.batch // 2)
        evaluator = Evaluator(posterior, workers=settings.workers, chunk=chunk, calls_before=calls)
        caught: list[warnings.WarningMessage] = []
        messages: list[str] = []
        try:
            with (
                evaluator,
                threadpool_limits(1),
                warnings.catch_warnings(record=True) as caught,
                quiet_and_restored(settings.seed) as messages,
            ):
                warnings.simplefilter("always")
                return _UltraNestRun(posterior, settings, store, evaluator, Clock(seconds)).sample(saved)
        finally:
            said = {f"{Path(w.filename).parent.name}: {w.message}" for w in caught} | {
                f"ultranest: {m}" for m in messages
            }
            for line in sorted(said):
                store.note(f"warning from {line}")


class _UltraNestRun:
    """State of one run: the first live points and the batches of new points that were made."""

    def __init__(
        self, posterior: Posterior, settings: UltraNestSettings, store: Store, evaluator: Evaluator, clock: Clock
    ) -> None:
        self.posterior, self.settings, self.store = posterior, settings, store
        self.evaluator, self.clock = evaluator, clock
        self.n_dim = posterior.n_dim
        self.nlive = settings.nlive_for(self.n_dim)
        self.batches = Batches()
        self.steps: RecordedSteps
        # ln of the possible fraction of the prior, and its error.
        self.possible = (0.0, 0.0)
        self.limit = ""
        self.chunks: tuple[str, ...] = ()
        self.n_written = 0

    def sample(self, saved: SavedState | None) -> SamplerResult:
        """Run UltraNest over what is recorded and beyond it."""
        import ultranest
        from ultranest.popstepsampler import PopulationSimpleSliceSampler, generate_region_oriented_direction

        if saved is None:
            self._begin()
        else:
            self._restore(saved, ultranest.__version__)
        self.version = ultranest.__version__
        slices = PopulationSimpleSliceSampler(
            self.settings.batch, self.settings.slices_for(self.n_dim), generate_region_oriented_direction
        )
        self.steps = RecordedSteps(slices, self.batches, self.settings.seed, self._after_batch)
        try:
            sampler = ultranest.ReactiveNestedSampler(
                list(self.posterior.names),
                self._log_likelihood,
                transform=_identity,
                vectorized=True,
                num_test_samples=0,
                comm=OneProcess(),
            )
            sampler.pointstore = FirstPoints(self.first_unit, self.first_values)
            sampler.log_to_pointstore = True
            sampler.stepsampler = self.steps
            results = sampler.run(
                min_num_live_points=self.nlive,
                cluster_num_live_points=0,
                widen_before_initial_plateau_num_max=self.nlive,
                max_num_improvement_loops=0,
                max_ncalls=STOP,
                frac_remain=-np.expm1(-self.settings.dlogz),
                dlogz=np.inf,
                dKL=np.inf,
                min_ess=0,
                Lepsilon=1e-6,
                show_status=False,
                viz_callback=self._report,
            )
        except StellarcrError:
            if self.steps.number == len(self.batches) > 0:
                self._checkpoint()
            raise
        except Exception as error:
            raise RunError(
                f"UltraNest failed with {type(error).__name__}: {error}",
                remedy="raise the sampler options slices or nlive and start anew, or sample with dynesty",
            ) from error
        if len(self.batches) > self.n_written or saved is None:
            self._checkpoint()
        births = birth_contours(sampler.root, results["weighted_samples"]["logl"])
        return self._result(results, births, healthy=bool(sampler.live_points_healthy))

    def _begin(self) -> None:
        """Draw the first live points."""
        rng = np.random.default_rng(np.random.SeedSequence([self.settings.seed, 3]))
        first = draw_live_points(self.posterior, self.evaluator.log_likelihood, rng, self.nlive)
        self.first_unit, self.first_values = first.unit, first.log_likelihood
        self.possible = (first.log_fraction, first.log_fraction_error)

    def _restore(self, saved: SavedState, version: str) -> None:
        """Take over a checkpoint."""
        if saved.fields["ultranest"] != version:
            raise RunError(
                f"the checkpoint was written by UltraNest {saved.fields['ultranest']}, this is {version}",
                remedy=f"install ultranest=={saved.fields['ultranest']} to resume, or start anew with --overwrite",
            )
        first = read_arrays(saved.files["first.npz"])
        self.first_unit, self.first_values = first["unit"], first["log_likelihood"]
        self.possible = tuple(saved.fields["possible"])
        self.chunks = tuple(saved.fields["chunks"])
        for label in self.chunks:
            self.batches.extend(read_arrays(saved.files[label]))
        self.n_written = len(self.batches)

    def _checkpoint(self) -> None:
        """Write the batches that are not yet written."""
        import ultranest

        keep = self.chunks if len(self.chunks) < MOST_CHUNKS else ()
        first = self.n_written if keep else 0
        added = {}
        if len(self.batches) > first:
            added[f"batches-{first:06d}.npz"] = array_writer(**self.batches.arrays(first))
        chunks = (*keep, *added)
        begun = not self.chunks
        if begun:
            added["first.npz"] = array_writer(unit=self.first_unit, log_likelihood=self.first_values)
        fields = {
            "ultranest": ultranest.__version__,
            "n_calls": self.evaluator.n_calls,
            "seconds": self.clock.seconds,
            "possible": list(self.possible),
            "chunks": list(chunks),
            "stored_points": self._stored_points(),
        }
        self.store.commit(SLOT, fields, add=added, keep=keep if begun else (*keep, "first.npz"))
        self.chunks, self.n_written = chunks, len(self.batches)

    def _stored_points(self) -> dict[str, Any]:
        unit, values = (
            (self.batches.unit[-1], self.batches.log_likelihood[-1])
            if len(self.batches)
            else (self.first_unit, self.first_values)
        )
        return stored_points("log_likelihood", self.posterior.prior_transform(unit[:8]), values[:8])

    def _log_likelihood(self, unit: FloatArray) -> FloatArray:
        # A slice ends at the faces of the cube, and rounding may put its end beyond them.
        inside = np.all((unit > 0.0) & (unit < 1.0), axis=1)
        values = np.full(len(unit), -np.inf)
        values[inside] = self.evaluator.log_likelihood(self.posterior.prior_transform(unit[inside]))
        return values

    def _after_batch(self, new: bool) -> bool:
        """Act between two batches; say whether a limit is reached."""
        if not new and self.steps.number < len(self.batches):
            return False
        if self.store.interrupted:
            self._checkpoint()
            raise interrupted_error(SLOT, self.evaluator.n_calls)
        self.limit = self._limit()
        if new and self.store.checkpoint_due(self.settings.checkpoint_every):
            self._checkpoint()
        return bool(self.limit)

    def _limit(self) -> str:
        settings = self.settings
        if settings.max_calls is not None and self.evaluator.n_calls >= settings.max_calls:
            return f"max_calls = {settings.max_calls}"
        if settings.max_time is not None and self.clock.seconds >= settings.max_time:
            return f"max_time = {settings.max_time:g} s"
        return ""

    def _report(self, *, info: dict[str, Any], **others: Any) -> None:
        """Report progress; UltraNest calls this where it would show its live points."""
        self.store.report(
            sampler=SLOT,
            calls=self.evaluator.n_calls,
            iterations=int(info["it"]),
            log_evidence=float(info["logz"]) + self.possible[0],
            remaining_log_evidence=float(np.logaddexp(info["logz"], info["logz_remain"]) - info["logz"]),
            seconds=self.clock.seconds,
        )

    def _result(self, results: dict[str, Any], births: FloatArray, healthy: bool) -> SamplerResult:
        """Turn UltraNest's results into posterior samples and an evidence."""
        record = results["weighted_samples"]
        log_likelihood, log_width = np.array(record["logl"], dtype=float), np.array(record["logw"], dtype=float)
        log_weight = log_likelihood + log_width
        log_z = float(np.logaddexp.reduce(log_weight))
        # The volume inside a point's contour, with half of the point's own shell.
        width = np.exp(log_width)
        log_volume = np.log(np.cumsum(width[::-1])[::-1] - 0.5 * width)
        log_possible, log_possible_error = self.possible
        theta = self.posterior.prior_transform(np.array(record["upoints"], dtype=float))
        nested = WeightedSamples(
            theta, log_weight - log_z, log_likelihood, log_volume + log_possible, log_likelihood_birth=births
        )
        ess = kish_sample_size(nested.log_weight)
        rng = np.random.default_rng(np.random.SeedSequence([self.settings.seed, 4]))
        picked = equal_weight_indices(nested.log_weight, min(self.settings.draws, int(np.ceil(ess))), rng)
        samples = theta[picked]
        goal = f"ln Z can still grow by less than {self.settings.dlogz:g}"
        verdict = f"converged: {goal}"
        if not healthy:
            verdict = f"not reliable: the live points lost a direction, and UltraNest stopped before {goal}"
        elif self.limit:
            verdict = f"not converged: stopped at {self.limit} before {goal}; ln Z is a lower estimate"
        if lost := lost_directions(np.array(record["upoints"])[-self.nlive :], self.posterior.names):
            remark = f"prior and data contradict each other in {', '.join(lost)}"
            verdict = f"{verdict}; {remark}, so ln Z rests on the far tail of the prior"
        order = results["insertion_order_MWW_test"]
        return SamplerResult(
            sampler=SLOT,
            samples=samples[np.newaxis],
            log_posterior=(log_likelihood[picked] + self.posterior.log_prior(samples))[np.newaxis],
            converged=healthy and not self.limit,
            verdict=verdict,
            n_calls=self.evaluator.n_calls,
            seconds=self.clock.seconds,
            diagnostics={
                "iterations": len(theta),
                "nlive": self.nlive,
                "slices": self.settings.slices_for(self.n_dim),
                "ess": ess,
                "insertion_order_converged": bool(order["converged"]),
                "far_enough": float(np.mean(self.batches.far_enough)) if len(self.batches) else float("nan"),
                "possible_prior_fraction": float(np.exp(log_possible)),
                "efficiency": len(theta) / max(self.evaluator.n_calls, 1),
            },
            log_evidence=log_z + log_possible,
            # sqrt(H / nlive). What UltraNest itself quotes is the largest of 30 bootstrap deviations, which scatters by
            # a factor of five between runs.
            log_evidence_error=float(
                np.sqrt(results["logzerr_single"] ** 2 + results["logzerr_tail"] ** 2 + log_possible_error**2)
            ),
            nested=nested,
        )


def _identity(unit: FloatArray) -> FloatArray:
    return unit
