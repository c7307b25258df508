"""The forward model as it runs inside a fit: source spectra on a grid, then one matrix per experiment.

Tests compare it with `ForwardModel.flux`, which evaluates everything exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, expanded
from ..model import ForwardModel, injected_amplitude, injected_energy, plain_name
from ..observe.response import Isotopes, Transfer
from ..populations.base import Population
from ..populations.release import SOURCE_PARAMETERS


@dataclass(frozen=True)
class Column:
    """One spectrum on the grid that detectors see: an element as a place injects it.

    Attributes
    ----------
    place : str
        ``"disc"`` or the name of a nearby population.
    element : str
        Element symbol.
    isotopes : tuple of (Nuclide, float)
        Nuclides with number fractions at equal rigidity.
    folded : bool
        Whether the transfer through the Galaxy is part of the response matrix. If not, it depends on free
        parameters, is applied on the grid, and the column has a single nuclide.
    """

    place: str
    element: str
    isotopes: Isotopes
    folded: bool


class _Entries(NamedTuple):
    """Entries of columns and grid that a population fills.

    Attributes
    ----------
    pairs : tuple of (ndarray of int, ndarray)
        Positions in the population's elements, and rigidities [GV].
    place : ndarray of int
        Positions in the flattened ``(n_columns, grid.size)``.
    fraction : ndarray or None
        Isotopic fraction of each, where isotopes travel apart.
    """

    pairs: tuple[np.ndarray, np.ndarray]
    place: np.ndarray
    fraction: np.ndarray | None


@dataclass(frozen=True, eq=False)
class SourceTable:
    """Evaluates the columns for many parameter vectors at once.

    Attributes
    ----------
    model : ForwardModel
        The physics.
    columns : tuple of Column
        What is evaluated.
    selections : tuple of numpy.ndarray
        Per population: ``(n_elements, n_columns)``, which element goes into which column with what fraction.
    weights : tuple of numpy.ndarray
        Per population: energy weights of `ForwardModel.energy_weights`.
    fixed : mapping
        Values of parameters that are not free, by full name.
    seen : numpy.ndarray of bool, optional
        ``(n_columns, grid.size)``: which entries the data see. Populations that can (`Population.injected`) leave the
        others at zero; all are evaluated without it.
    """

    model: ForwardModel
    columns: tuple[Column, ...]
    selections: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    seen: np.ndarray | None = None

    @classmethod
    def build(
        cls, model: ForwardModel, elements: Sequence[str], free: Sequence[str], fixed: Mapping[str, float]
    ) -> SourceTable:
        """Find the distinct columns.

        Parameters
        ----------
        model : ForwardModel
            The physics.
        elements : sequence of str
            Elements that the data need.
        free : sequence of str
            Names of parameters that vary, linked ones included.
        fixed : mapping
            Values of the others.
        """
        varying = {plain_name(name) for name in free}
        free_propagation = any(name.startswith("galaxy.") for name in varying)
        keys: dict[Column, int] = {}
        entries: list[list[tuple[int, int, float]]] = []
        for member in model.populations:
            place = "disc" if member.place == "disc" else member.name
            free_place = place != "disc" and bool({f"{place}.{key}" for key in SOURCE_PARAMETERS} & varying)
            folded = not (free_propagation or free_place)
            mine: list[tuple[int, int, float]] = []
            for k, element in enumerate(member.elements):
                if element not in elements:
                    continue
                isotopes = member.isotopes_of(element)
                parts = [(isotopes, 1.0)] if folded else [(((n, 1.0),), f) for n, f in isotopes]
                for nuclides, fraction in parts:
                    column = Column(place, element, nuclides, folded)
                    mine.append((k, keys.setdefault(column, len(keys)), fraction))
            entries.append(mine)
        selections = []
        for member, mine in zip(model.populations, entries, strict=True):
            selection = np.zeros((len(member.elements), len(keys)))
            for k, c, fraction in mine:
                selection[k, c] = fraction
            selections.append(selection)
        weights = tuple(model.energy_weights(member) for member in model.populations)
        return cls(model, tuple(keys), tuple(selections), weights, dict(fixed))

    def restricted(self, seen: Iterable[np.ndarray]) -> SourceTable:
        """Return the same table, which need only be right at some entries of the flattened ``(n_columns, size)``.

        Parameters
        ----------
        seen : iterable of ndarray of int
            `ExperimentResponse.seen` of every response that it will meet.
        """
        mask = np.zeros(len(self.columns) * self.model.grid.size, dtype=bool)
        for entries in seen:
            mask[entries] = True
        return replace(self, seen=mask.reshape(len(self.columns), -1))

    def transfer_of(self, column: Column) -> Transfer | None:
        """Transfer function that belongs into a column's response matrix, None if it is applied on the grid."""
        if not column.folded:
            return None
        components = self.model.local_values(self.fixed)
        population = self._population_at(column.place)
        source = {k: v for k, v in components[population.name].items() if k in SOURCE_PARAMETERS}

        def transfer(nuclide, rigidity):  # type: ignore[no-untyped-def]
            return self.model.galaxy.transfer(population, nuclide, rigidity, components["galaxy"], source)

        return transfer

    def _population_at(self, place: str) -> Population:
        return next(p for p in self.model.populations if p.name == place or (place == "disc" and p.place == "disc"))

    def evaluate(self, parameters: Mapping[str, Array], n: int, xp: Any = np) -> Array:
        """Spectra of all columns on the grid.

        Parameters
        ----------
        parameters : mapping
            Values by full name, numbers or ``(n,)``.
        n : int
            Number of parameter vectors.
        xp : module
            Their array namespace.

        Returns
        -------
        array
            ``(n, n_columns, grid.size)``: injected spectra [1/(GV s), bursts 1/GV] where the transfer is part of the
            response, densities at the Sun [1/(m^3 GV)] where it is not.
        """
        components = self.model.local_values(parameters)
        rigidity = self.model.grid.rigidity
        shapes, coefficients, extra, partial = [], [], [], []
        members = zip(self.model.populations, self.selections, self.weights, self._entries, strict=True)
        for member, selection, weights, entries in members:
            values = components[member.name]
            if member.injected is not None:
                log_energy = xp.log(xp.asarray(injected_energy(member, values), dtype=xp.float64))
                part = expanded(member.injected(entries.pairs, values, log_energy), (n, len(entries.place)), xp)
                partial.append(part if entries.fraction is None else part * xp.asarray(entries.fraction))
                continue
            shape = member.shape(rigidity, values)
            abundance = self.model.abundances(member, values)
            amplitude = injected_amplitude(member, values, shape, abundance, weights)
            amplitude = xp.asarray(amplitude)[..., None]
            coefficient = expanded(amplitude * (abundance @ selection), (n, len(self.columns)), xp)
            if member.shape_per_element:
                # an element goes into one column, or, where isotopes travel apart, into several
                element = xp.asarray(np.argmax(selection > 0, axis=0))
                extra.append(coefficient[..., None] * xp.take(shape, element, axis=-2))
            else:
                shapes.append(expanded(shape, (n, len(rigidity)), xp))
                coefficients.append(coefficient)
        spectra = 0.0
        if shapes:
            spectra = xp.stack(coefficients, axis=-1) @ xp.stack(shapes, axis=-2)
        for members_of_group, source in self._groups:
            # three populations are added where the data see them, and spread over the grid once
            total = sum((partial[k] for k in members_of_group[1:]), partial[members_of_group[0]])
            padded = xp.concat([total, xp.zeros((n, 1))], axis=1)
            extra.append(xp.reshape(xp.take(padded, xp.asarray(source), axis=1), (n, len(self.columns), -1)))
        for term in extra:
            spectra = spectra + term
        if all(column.folded for column in self.columns):
            return spectra
        return spectra * self._transfer_on_grid(components, n, xp)

    @cached_property
    def _entries(self) -> tuple[_Entries, ...]:
        """Per population: which entries of columns and grid it fills."""
        rigidity = self.model.grid.rigidity
        seen = np.ones((len(self.columns), len(rigidity)), dtype=bool) if self.seen is None else self.seen
        found = []
        for selection in self.selections:
            column, point = np.nonzero(seen & np.any(selection > 0, axis=0)[:, None])
            element = np.argmax(selection > 0, axis=0)[column]
            fraction = selection[element, column]
            found.append(
                _Entries(
                    (element, rigidity[point]),
                    column * len(rigidity) + point,
                    fraction if np.any(fraction != 1.0) else None,
                )
            )
        return tuple(found)

    @cached_property
    def _groups(self) -> tuple[tuple[tuple[int, ...], np.ndarray], ...]:
        """Populations with `Population.injected` that fill the same entries, counted among themselves.

        With each group: where the entries of ``(n_columns, size)`` are among the filled ones, the number of these
        where they are not.
        """
        entries = [e for e, p in zip(self._entries, self.model.populations, strict=True) if p.injected is not None]
        groups: dict[bytes, list[int]] = {}
        for k, entry in enumerate(entries):
            groups.setdefault(entry.place.tobytes(), []).append(k)
        found = []
        for members in groups.values():
            place = entries[members[0]].place
            source = np.full(len(self.columns) * self.model.grid.size, len(place))
            source[place] = np.arange(len(place))
            found.append((tuple(members), source))
        return tuple(found)

    def _transfer_on_grid(self, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any) -> Array:
        rigidity = xp.asarray(self.model.grid.rigidity)
        propagation = {k: _last_axis(v) for k, v in components["galaxy"].items()}
        factors = []
        for column in self.columns:
            if column.folded:
                factors.append(xp.ones((n, len(rigidity))))
                continue
            member = self._population_at(column.place)
            source = {k: _last_axis(v) for k, v in components[member.name].items() if k in SOURCE_PARAMETERS}
            nuclide = column.isotopes[0][0]
            factor = self.model.galaxy.transfer(member, nuclide, rigidity, propagation, source, reduced=True)
            factors.append(expanded(factor, (n, len(rigidity)), xp))
        return xp.stack(factors, axis=-2)


def _last_axis(value: Array) -> Array:
    return value[..., None] if getattr(value, "ndim", 0) else value
