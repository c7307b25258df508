"""Options of the UltraNest adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stellarcr.errors import ConfigError
from stellarcr.infer.samplers.settings import SamplerSettings


@dataclass(frozen=True, kw_only=True)
class UltraNestSettings(SamplerSettings):
    """Options of the UltraNest adapter, besides those of :class:`SamplerSettings`.

    Parameters
    ----------
    nlive : int, optional
        Live points; default max(400, 20 n_dim).
    slices : int, optional
        Slice steps from a live point to a new one; default 4 n_dim. Each takes five to ten calls, where a step of
        dynesty's ``walks`` takes one.
    dlogz : float
        Stop when the live points could add less than this to ln Z.
    batch : int
        Slices moved together, with one batched likelihood call each time they shrink. Results depend on it.
    """

    nlive: int | None = None
    slices: int | None = None
    dlogz: float = 0.01
    batch: int = 64

    LIMITS: ClassVar[frozenset[str]] = SamplerSettings.LIMITS

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_integer("nlive", 8, optional=True)
        self._require_integer("slices", 1, optional=True)
        self._require_number("dlogz", above=0.0)
        self._require_integer("batch", 1)

    def nlive_for(self, n_dim: int) -> int:
        """Live points in `n_dim` dimensions."""
        nlive = max(400, 20 * n_dim) if self.nlive is None else self.nlive
        if nlive <= 2 * n_dim:
            raise ConfigError(
                f"sampler option nlive = {nlive} is too small for {n_dim} parameters",
                where=type(self).__name__,
                remedy=f"nlive must exceed {2 * n_dim}; leave it out for the default",
            )
        return nlive

    def slices_for(self, n_dim: int) -> int:
        """Slice steps in `n_dim` dimensions."""
        return 4 * n_dim if self.slices is None else self.slices
