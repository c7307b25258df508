"""How a nearby source releases its particles, and what they meet on their way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ..errors import ParameterError, nearest

ReleaseKind = Literal["burst", "continuous"]
Boundary = Literal["free", "halo"]

SOURCE_PARAMETERS = ("age", "distance", "duration", "gas_density")
"""Parameters of a nearby population that decide its particles' way to the Sun, not their spectrum at the source."""


@dataclass(frozen=True)
class Release:
    """How a nearby source releases its particles, and what they meet on their way.

    Attributes
    ----------
    kind : {"burst", "continuous"}
        All at once when the source was born; or at a constant rate from then on for the time that the population's
        parameter ``duration`` [yr] says, its ``energy`` being that of the whole duration.
    boundary : {"free", "halo"}
        Infinite space; or a halo that particles leave for good at its half-height above and below the plane.
    gas : bool
        Whether nuclei are destroyed on their way, in gas of the density that the parameter ``gas_density`` [1/cm3]
        says.
    """

    kind: ReleaseKind = "burst"
    boundary: Boundary = "free"
    gas: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters that a population with this release needs."""
        needed = {"age": True, "distance": True, "duration": self.kind == "continuous", "gas_density": self.gas}
        return tuple(name for name, need in needed.items() if need)

    def __post_init__(self) -> None:
        for key, value, choices in (
            ("release", self.kind, get_args(ReleaseKind)),
            ("boundary", self.boundary, get_args(Boundary)),
        ):
            if value not in choices:
                raise ParameterError(f"{key} = {value!r} is not a choice", remedy=nearest(str(value), choices))
