"""Options of the dynesty adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stellarcr.errors import ConfigError
from stellarcr.infer.samplers.settings import SamplerSettings


@dataclass(frozen=True, kw_only=True)
class DynestySettings(SamplerSettings):
    """Options of the dynesty adapter, besides those of :class:`SamplerSettings`.

    Parameters
    ----------
    mode : {"static", "dynamic"}
        Static: a constant number of live points. Dynamic: batches are added until `n_effective`.
    nlive : int, optional
        Live points; default max(500, 25 n_dim).
    walks : int, optional
        Steps of a random walk; default max(100, 25 n_dim). Shorter walks leave new points correlated with the live
        points that they start from, which biases the evidence and hides in its quoted error: on a problem of twelve
        parameters +0.18 +- 0.11 with 8 n_dim steps, +0.01 +- 0.11 with 25 (docs/decisions/0018).
    acceptance : float
        Share of steps accepted, to which the size of the steps is tuned.
    dlogz : float
        Stop when the live points could add less than this to ln Z.
    bound : {"multi", "single", "none"}
        Bounding ellipsoids that shape the steps.
    batch : int
        Walkers advanced together, with one batched likelihood call per step; 0 calls the likelihood point by
        point, as dynesty alone does.
    queue_size : int
        Walkers in dynesty's queue if `batch` is 0. Results depend on it, not on `processes`.
    n_effective : int
        Dynamic: effective samples at which to stop.
    """

    mode: str = "static"
    nlive: int | None = None
    walks: int | None = None
    acceptance: float = 0.25
    dlogz: float = 0.01
    bound: str = "multi"
    batch: int = 64
    queue_size: int = 1
    n_effective: int = 10_000

    LIMITS: ClassVar[frozenset[str]] = SamplerSettings.LIMITS

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, choices in (("mode", ("static", "dynamic")), ("bound", ("multi", "single", "none"))):
            if getattr(self, key) not in choices:
                raise self._fail(key, "one of " + ", ".join(choices))
        self._require_integer("nlive", 8, optional=True)
        self._require_integer("walks", 2, optional=True)
        self._require_number("acceptance", above=0.0, below=1.0)
        self._require_number("dlogz", above=0.0)
        self._require_integer("batch", 0)
        self._require_integer("queue_size", 1)
        self._require_integer("n_effective", 1)
        if self.batch == 0 and self.workers.parallel and self.queue_size < 2:
            given = f"processes = {self.processes}" if self.pool == "processes" else f"pool = {self.pool!r}"
            raise ConfigError(
                f"sampler option {given} has no effect with batch = 0 and queue_size = 1",
                where=type(self).__name__,
                remedy="set queue_size to the number of walkers to spread, or leave batch at its default",
            )

    def nlive_for(self, n_dim: int) -> int:
        """Live points in `n_dim` dimensions."""
        nlive = max(500, 25 * n_dim) if self.nlive is None else self.nlive
        if nlive <= 2 * n_dim:
            raise ConfigError(
                f"sampler option nlive = {nlive} is too small for {n_dim} parameters",
                where=type(self).__name__,
                remedy=f"nlive must exceed {2 * n_dim}; leave it out for the default",
            )
        return nlive

    def walks_for(self, n_dim: int) -> int:
        """Steps per walk in `n_dim` dimensions."""
        return max(100, 25 * n_dim) if self.walks is None else self.walks
