"""Options of the emcee adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stellarcr.errors import ConfigError
from stellarcr.infer.samplers.settings import SamplerSettings


@dataclass(frozen=True, kw_only=True)
class EmceeSettings(SamplerSettings):
    """Options of the emcee adapter, besides those of :class:`SamplerSettings`.

    Parameters
    ----------
    walkers : int, optional
        Walkers per ensemble, even; default max(64, 4 n_dim).
    ensembles : int
        Independent ensembles, at least 2; R-hat compares them.
    max_steps : int
        Stop after this many steps.
    min_steps : int
        Go on to this many steps even if the targets are met earlier.
    target_tau : float
        Converged needs a chain longer than this many autocorrelation times after burn-in ...
    target_rhat : float
        ... and R-hat over ensembles below this for every parameter.
    check_every : int
        Steps before the first test of convergence; later tests come when the chain has grown by a tenth, and by
        at least this.
    scatter : float
        Width of the start around the maximum in units of the Laplace approximation; above 1 so that the
        ensembles start more dispersed than the posterior.
    learn : bool
        Fit a mixture of Gaussians to the walkers' past during burn-in and propose from it, besides the other moves.
    heated_steps : int
        Steps per parameter at each of the powers of the likelihood with which a learning sampler begins. It learns for
        at least eight times as many, and the chain that counts is as long again. Fewer finish earlier, and may miss
        parts of the posterior.
    memory_mb : float
        Memory for the stored chain; when it is full, every second stored step is dropped.
    """

    walkers: int | None = None
    ensembles: int = 4
    max_steps: int = 200_000
    min_steps: int = 0
    target_tau: float = 50.0
    target_rhat: float = 1.01
    check_every: int = 200
    scatter: float = 2.0
    learn: bool = True
    heated_steps: int = 50
    memory_mb: float = 64.0

    LIMITS: ClassVar[frozenset[str]] = SamplerSettings.LIMITS | {"max_steps", "min_steps", "target_tau", "target_rhat"}

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_integer("walkers", 8, optional=True)
        self._require_integer("ensembles", 2)
        self._require_integer("max_steps", 1)
        self._require_integer("min_steps", 0)
        if self.min_steps > self.max_steps:
            raise self._fail("min_steps", f"no more than max_steps = {self.max_steps}")
        self._require_integer("check_every", 1)
        self._require_number("target_tau", above=0.0)
        self._require_number("target_rhat", above=1.0)
        self._require_number("scatter", above=0.0)
        if not isinstance(self.learn, bool):
            raise self._fail("learn", "true or false")
        self._require_integer("heated_steps", 1)
        self._require_number("memory_mb", above=0.0)

    def walkers_for(self, n_dim: int) -> int:
        """Walkers per ensemble in `n_dim` dimensions; refuses too few, and odd numbers."""
        walkers = max(64, 4 * n_dim) if self.walkers is None else self.walkers
        least = 2 * n_dim + 2
        if walkers % 2 or walkers < least:
            raise ConfigError(
                f"sampler option walkers = {walkers} is not valid for {n_dim} parameters",
                where=type(self).__name__,
                remedy=f"walkers must be even and at least {least} (each half moves in the span of the other); "
                "leave it out for the default",
            )
        return walkers
