"""The nuclides of a wind: their charges and masses as arrays, number fractions, and sums over isotopes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..backend import Array, namespace
from ..errors import ModelError, ParameterError
from ..species import Nuclide, nuclide
from .checks import check_range


@dataclass(frozen=True)
class WindNuclides:
    """The nuclides of a wind, in the order of the last axis of its composition.

    Attributes
    ----------
    nuclides : tuple of Nuclide
        Each once.
    """

    nuclides: tuple[Nuclide, ...]

    def __post_init__(self) -> None:
        names = [n.name for n in self.nuclides]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated or not names:
            problem = f"nuclides are named twice: {', '.join(repeated)}" if repeated else "a wind has no nuclides"
            raise ParameterError(problem, remedy="name every nuclide of the wind once, such as H1, He4, C12")

    @classmethod
    def named(cls, names: Iterable[str]) -> WindNuclides:
        """Look nuclides up by name, such as ``("H1", "He4", "Fe56")``.

        Raises
        ------
        ParameterError
            If a name is not a symbol and a mass number, unknown, or repeated.
        """
        found = []
        for name in names:
            parts = re.fullmatch(r"([A-Z][a-z]?)(\d+)", name)
            if parts is None:
                raise ParameterError(f"{name!r} is no nuclide", remedy="write symbol and mass number, such as He4")
            found.append(nuclide(parts[1], int(parts[2])))
        return cls(tuple(found))

    @property
    def names(self) -> tuple[str, ...]:
        """Names such as ``He4``."""
        return tuple(n.name for n in self.nuclides)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """Symbols of the elements, each once, in the order of their first nuclide."""
        return tuple(dict.fromkeys(n.symbol for n in self.nuclides))

    @cached_property
    def charge(self) -> np.ndarray:
        """Charge Z of each nuclide."""
        return np.array([float(n.charge) for n in self.nuclides])

    @cached_property
    def mass(self) -> np.ndarray:
        """Rest energy of each nuclide [GeV]."""
        return np.array([n.mass for n in self.nuclides])

    @cached_property
    def mass_number(self) -> np.ndarray:
        """Mass number A of each nuclide."""
        return np.array([float(n.mass_number) for n in self.nuclides])

    def number_fractions(self, mass_fractions: Array) -> Array:
        """Number fractions n_i = (X_i/A_i) / sum(X_j/A_j) over the nuclides given.

        Parameters
        ----------
        mass_fractions : array
            Mass fractions X_i of the wind, or masses in any unit, shape ``(..., n_nuclides)``. Mix winds by mass
            first. All zero (no wind) gives all zero.

        Raises
        ------
        ModelError
            If the last axis is another one, or a NumPy array holds negative or infinite values.
        """
        self._check_axis(mass_fractions, -1)
        check_range("mass fraction", mass_fractions, 0.0)
        xp = namespace(mass_fractions)
        numbers = mass_fractions / xp.asarray(self.mass_number)
        total = xp.sum(numbers, axis=-1, keepdims=True)
        return numbers / xp.where(total > 0, total, 1.0)

    def sum_isotopes(self, values: Array, axis: int = -1) -> Array:
        """Sum the isotopes of each element.

        Parameters
        ----------
        values : array
            One value for each nuclide along ``axis``.
        axis : int
            -1, or -2 for spectra of shape ``(..., n_nuclides, n_rigidity)``.

        Returns
        -------
        array
            The same with the elements, in the order of ``elements``, along ``axis``.

        Raises
        ------
        ModelError
            If the axis is another one.
        """
        self._check_axis(values, axis)
        xp = namespace(values)
        member = [[float(n.symbol == symbol) for symbol in self.elements] for n in self.nuclides]
        matrix = xp.asarray(member, dtype=xp.float64)
        return values @ matrix if axis == -1 else xp.matmul(matrix.T, values)

    def _check_axis(self, values: Array, axis: int) -> None:
        shape = tuple(values.shape)
        if axis not in (-1, -2) or len(shape) < -axis or shape[axis] != len(self.nuclides):
            raise ModelError(
                f"shape {shape} has no axis {axis} of {len(self.nuclides)} nuclides",
                remedy=f"order that axis as {', '.join(self.names)}",
            )
