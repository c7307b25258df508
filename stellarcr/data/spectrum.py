"""One measured spectrum: immutable, with units, error components and its reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from astropy import units as u

from ..errors import DataError
from .headers import Reference
from .printing import spectrum_table

ErrorPair = tuple[u.Quantity, u.Quantity]
"""Lower and upper error of every point."""


@dataclass(frozen=True, eq=False, repr=False)
class Spectrum:
    """A measured flux, ratio of fluxes or mean ln A, with its errors as published.

    Arrays cannot be written to; `select` makes a new spectrum. Two spectra are the same measurement if their
    `sha256` agree.

    Attributes
    ----------
    name : str
        Name of the table, such as ``AMS-02_He``.
    experiment, species : str
        ``species`` is an element, ``p+He`` or ``all``, or a ratio such as ``B/C``.
    quantity : {"flux", "lnA", "ratio"}
        What `value` is.
    axis : {"R", "EK", "EKN", "ETOT"}
        Rigidity, kinetic energy per nucleus or per nucleon, total energy per nucleus.
    hadronic_model : str or None
        The interaction model that the measurement assumes, for air showers.
    x : astropy.units.Quantity, shape (n,)
        Representative points [GV or GeV].
    x_low, x_high : astropy.units.Quantity, shape (n,)
        Bin edges; NaN where none are published.
    value : astropy.units.Quantity, shape (n,)
        Flux [1 / (m2 s sr GV) or 1 / (m2 s sr GeV); on the axis EKN per GeV per nucleon], <ln A>, or
        ratio of two fluxes.
    stat_low, stat_high : astropy.units.Quantity, shape (n,)
        Statistical errors as printed; zero where the source prints zero (the row's flag says so).
    systematics : mapping of str to (Quantity, Quantity)
        Lower and upper errors of every named systematic component.
    upper_limit : numpy.ndarray of bool, shape (n,)
        Where `value` is an upper limit.
    flags : tuple of str, length n
        Remarks on single points; mostly empty.
    reference : Reference
        Where it was published.
    metadata : mapping
        The whole header of the table: data period, definitions, notes, provenance.
    sha256 : str
        Hash of the file that it was read from.
    """

    name: str
    experiment: str
    species: str
    quantity: str
    axis: str
    hadronic_model: str | None
    x: u.Quantity
    x_low: u.Quantity
    x_high: u.Quantity
    value: u.Quantity
    stat_low: u.Quantity
    stat_high: u.Quantity
    systematics: Mapping[str, ErrorPair]
    upper_limit: np.ndarray
    flags: tuple[str, ...]
    reference: Reference
    metadata: Mapping[str, Any] = field(default_factory=dict)
    sha256: str = ""

    def __post_init__(self) -> None:
        for name in ("x", "x_low", "x_high", "value", "stat_low", "stat_high"):
            object.__setattr__(self, name, _frozen_quantity(getattr(self, name)))
        upper_limit = np.array(self.upper_limit, dtype=bool)
        upper_limit.setflags(write=False)
        object.__setattr__(self, "upper_limit", upper_limit)
        pairs = {
            name: (_frozen_quantity(low), _frozen_quantity(high)) for name, (low, high) in self.systematics.items()
        }
        object.__setattr__(self, "systematics", MappingProxyType(pairs))
        object.__setattr__(self, "metadata", _frozen(dict(self.metadata)))
        object.__setattr__(self, "flags", tuple(self.flags))

    def __reduce__(self) -> tuple[Callable[..., Spectrum], tuple[Any, ...]]:
        """Rebuild from plain dicts: read-only mappings cannot be pickled."""
        values = [getattr(self, item.name) for item in fields(self)]
        return Spectrum, tuple(_thawed(value) for value in values)

    def __len__(self) -> int:
        return len(self.upper_limit)

    @property
    def has_edges(self) -> bool:
        """Whether every point has bin edges."""
        return bool(np.all(np.isfinite(self.x_low.value) & np.isfinite(self.x_high.value)))

    def total_error(self) -> ErrorPair:
        """Statistical and all systematic errors, added in quadrature.

        Returns
        -------
        low, high : astropy.units.Quantity, shape (n,)
            In the unit of `value`.
        """
        low, high = self.stat_low**2, self.stat_high**2
        for systematic_low, systematic_high in self.systematics.values():
            low, high = low + systematic_low**2, high + systematic_high**2
        return np.sqrt(low), np.sqrt(high)

    def select(self, mask: np.ndarray) -> Spectrum:
        """Return the points where a mask is true.

        Parameters
        ----------
        mask : array of bool, shape (n,)
            One entry for every point, such as ``spectrum.x > 20 * u.GV``.

        Returns
        -------
        Spectrum
            With the same metadata and hash.

        Raises
        ------
        DataError
            If the mask is not boolean or has another length.
        """
        chosen = np.asarray(mask)
        if chosen.dtype != bool or chosen.shape != self.upper_limit.shape:
            raise DataError(
                f"a mask of dtype {chosen.dtype} and shape {chosen.shape} cannot select points",
                where=f"spectrum {self.name!r} with {len(self)} points",
                remedy=f"give a boolean array of shape ({len(self)},)",
            )
        arrays = ("x", "x_low", "x_high", "value", "stat_low", "stat_high", "upper_limit")
        return replace(
            self,
            **{name: getattr(self, name)[chosen] for name in arrays},
            systematics={name: (low[chosen], high[chosen]) for name, (low, high) in self.systematics.items()},
            flags=tuple(flag for flag, keep in zip(self.flags, chosen, strict=True) if keep),
        )

    def __repr__(self) -> str:
        model = f" ({self.hadronic_model})" if self.hadronic_model else ""
        return f"<Spectrum {self.experiment} {self.species}{model}: {self.quantity} on {self.axis}, {len(self)} points>"

    def __str__(self) -> str:
        return spectrum_table(self)


def _frozen(value: Any) -> Any:
    """Make a header read-only, all the way down."""
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(inside) for key, inside in value.items()})
    return tuple(_frozen(inside) for inside in value) if isinstance(value, list | tuple) else value


def _thawed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _thawed(inside) for key, inside in value.items()}
    return value


def _frozen_quantity(quantity: u.Quantity) -> u.Quantity:
    copy = u.Quantity(quantity, dtype=float, copy=True)
    copy.setflags(write=False)
    return copy
