"""The forward model as it runs inside a fit: source spectra on a grid, then one matrix per experiment.

Tests compare it with `ForwardModel.flux`, which evaluates everything exactly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..backend import Array, contiguous, expanded
from ..errors import ModelError
from ..model import ForwardModel, injected_amplitude, injected_energy, plain_name
from ..observe.response import Transfer
from ..populations.base import Population
from ..populations.release import SOURCE_PARAMETERS
from ..species import Nuclide
from .arrivals import Arrivals, build_arrivals
from .columns import Column, seen_through_network
from .experiment_response import ExperimentResponse


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
        What detectors see.
    sources : tuple of Column
        What populations inject: the same without a network.
    selections : tuple of numpy.ndarray
        Per population: ``(n_elements, n_sources)``, which element goes into which column with what fraction.
    weights : tuple of numpy.ndarray
        Per population: energy weights of `ForwardModel.energy_weights`.
    fixed : mapping
        Values of parameters that are not free, by full name.
    seen : numpy.ndarray of bool, optional
        ``(n_sources, grid.size)``: which entries are needed. Populations that can (`Population.injected`) leave the
        others at zero; all are evaluated without it.
    arrivals : Arrivals, optional
        With a nuclear network: what is seen of the columns, fragments included.
    """

    model: ForwardModel
    columns: tuple[Column, ...]
    sources: tuple[Column, ...]
    selections: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)
    seen: np.ndarray | None = None
    arrivals: Arrivals | None = None

    @classmethod
    def build(
        cls,
        model: ForwardModel,
        elements: Sequence[str],
        free: Sequence[str],
        fixed: Mapping[str, float],
        apart: Collection[str] | None = None,
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
        apart : collection of str, optional
            With a network: elements whose isotopes detectors tell apart, see `isotopes_apart`; all by default.
        """
        varying = {plain_name(name) for name in free}
        free_propagation = any(name.startswith("galaxy.") for name in varying)
        network = model.galaxy.network
        keys: dict[Column, int] = {}
        entries: list[list[tuple[int, int, float]]] = []
        for member in model.populations:
            place = "disc" if member.place == "disc" else member.name
            free_place = place != "disc" and bool({f"{place}.{key}" for key in SOURCE_PARAMETERS} & varying)
            folded = not (free_propagation or free_place)
            mine: list[tuple[int, int, float]] = []
            for k, element in enumerate(member.elements):
                if element not in elements and (network is None or place != "disc"):
                    continue
                isotopes = member.isotopes_of(element)
                # through a network isotopes travel apart in `Arrivals`
                whole = folded or (network is not None and place == "disc")
                parts = [(isotopes, 1.0)] if whole else [(((n, 1.0),), f) for n, f in isotopes]
                for nuclides, fraction in parts:
                    profile = model.galaxy.profile_of(member) if place == "disc" else None
                    column = Column(place, element, nuclides, folded, profile)
                    mine.append((k, keys.setdefault(column, len(keys)), fraction))
            entries.append(mine)
        selections = []
        for member, mine in zip(model.populations, entries, strict=True):
            selection = np.zeros((len(member.elements), len(keys)))
            for k, c, fraction in mine:
                selection[k, c] = fraction
            selections.append(selection)
        weights = tuple(model.energy_weights(member) for member in model.populations)
        sources = tuple(keys)
        columns = sources if network is None else seen_through_network(model, sources, elements, apart)
        return cls(model, columns, sources, tuple(selections), weights, dict(fixed))

    def restricted(self, seen: Iterable[np.ndarray], reference: Mapping[str, Array] | None = None) -> SourceTable:
        """Return the same table, which need only be right at some entries of the flattened ``(n_columns, size)``.

        Parameters
        ----------
        seen : iterable of ndarray of int
            `ExperimentResponse.seen` of every response that it will meet.
        reference : mapping, optional
            One typical parameter vector by full name, numbers or ``(1,)``, at which the interpolation of fragments is
            judged; the model's defaults without it.
        """
        flags = np.zeros(len(self.columns) * self.model.grid.size, dtype=bool)
        for entries in seen:
            flags[entries] = True
        mask = flags.reshape(len(self.columns), -1)
        if self.model.galaxy.network is None:
            return replace(self, seen=mask)
        components = self.model.local_values({**self.fixed, **(reference or {})})
        typical = self.injected(components, 1, np)[0]
        galaxy, grid = self.model.galaxy, self.model.grid
        fixed = {name: float(np.ravel(value)[0]) for name, value in components["galaxy"].items()}
        made = self.model.made
        arrivals = build_arrivals(galaxy, grid, self.columns, self.sources, mask, fixed, typical, made)
        return replace(self, seen=arrivals.sampled, arrivals=arrivals)

    def transfer_of(self, column: Column) -> Transfer | None:
        """Transfer function that belongs into a column's response matrix, None if it is applied on the grid."""
        if not column.folded:
            return None
        components = self.model.local_values(self.fixed)
        population = self._population_at(column)
        source = {k: v for k, v in components[population.name].items() if k in SOURCE_PARAMETERS}

        def transfer(nuclide, rigidity):  # type: ignore[no-untyped-def]
            return self.model.galaxy.transfer(population, nuclide, rigidity, components["galaxy"], source)

        return transfer

    def _population_at(self, column: Column) -> Population:
        def matches(population: Population) -> bool:
            if column.place != "disc" or population.place != "disc":
                return population.name == column.place
            return self.model.galaxy.profile_of(population) == column.profile

        return next(p for p in self.model.populations if matches(p))

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
            response, densities at the Sun [1/(m^3 GV)] where it is not. With a network ``(n, n_seen)``, the seen
            entries of the same; `connect` makes the responses that go with it.

        Raises
        ------
        ModelError
            With a network, if `restricted` was not called.
        """
        components = self.model.local_values(parameters)
        return self.received(self.injected(components, n, xp), components, n, xp)

    def received(self, spectra: Array, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any = np) -> Array:
        """Carry injected spectra as far as the responses expect them; linear in the spectra.

        Parameters
        ----------
        spectra : array
            ``(n, n_sources, grid.size)``, as `injected` gives them.
        components : mapping
            Values by component and local name; numbers or ``(n,)``.
        n : int
            Number of parameter vectors.
        xp : module
            Their array namespace.

        Returns
        -------
        array
            As `evaluate`.

        Raises
        ------
        ModelError
            With a network, if `restricted` was not called.
        """
        if self.model.galaxy.network is not None:
            if self.arrivals is None:
                raise ModelError("a table with a network is not connected", remedy="use connect(table, responses)")
            flat = contiguous(xp.reshape(xp.permute_dims(spectra, (1, 2, 0)), (-1, n)))
            transfers = [
                self._transfer_of_column(self.sources[a.source], a.nuclide, components, n, xp)
                for a in self.arrivals.apart
            ]
            return xp.permute_dims(self.arrivals.evaluate(flat, components["galaxy"], transfers, xp), (1, 0))
        if all(column.folded for column in self.columns):
            return spectra
        return spectra * self._transfer_on_grid(components, n, xp)

    def injected(self, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any = np, without: str = "") -> Array:
        """Spectra of the columns that populations fill, before any transfer.

        Parameters
        ----------
        components : mapping
            Values by component and local name, from `ForwardModel.local_values`; numbers or ``(n,)``.
        n : int
            Number of parameter vectors.
        xp : module
            Their array namespace.
        without : str, optional
            Name of a population, without abundances of its own for every rigidity, that is left out.

        Returns
        -------
        array
            ``(n, n_sources, grid.size)`` [1/(GV s), bursts 1/GV].
        """
        rigidity = self.model.grid.rigidity
        shapes, coefficients, extra, partial = [], [], [], []
        members = zip(self.model.populations, self.selections, self.weights, self._entries, strict=True)
        for member, selection, weights, entries in members:
            if member.name == without:
                continue
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
            coefficient = expanded(amplitude * (abundance @ selection), (n, len(self.sources)), xp)
            if member.shape_per_element:
                # an element goes into one column, or, where isotopes travel apart, into several
                element = xp.asarray(np.argmax(selection > 0, axis=0))
                extra.append(coefficient[..., None] * xp.take(shape, element, axis=-2))
            else:
                shapes.append(expanded(shape, (n, len(rigidity)), xp))
                coefficients.append(coefficient)
        spectra = (
            xp.zeros((n, len(self.sources), self.model.grid.size)) if not shapes and not partial and not extra else 0.0
        )
        if shapes:
            spectra = xp.stack(coefficients, axis=-1) @ xp.stack(shapes, axis=-2)
        for members_of_group, source in self._groups:
            # three populations are added where the data see them, and spread over the grid once
            total = sum((partial[k] for k in members_of_group[1:]), partial[members_of_group[0]])
            padded = xp.concat([total, xp.zeros((n, 1))], axis=1)
            extra.append(xp.reshape(xp.take(padded, xp.asarray(source), axis=1), (n, len(self.sources), -1)))
        for term in extra:
            spectra = spectra + term
        return spectra

    @cached_property
    def _entries(self) -> tuple[_Entries, ...]:
        """Per population: which entries of columns and grid it fills."""
        rigidity = self.model.grid.rigidity
        seen = np.ones((len(self.sources), len(rigidity)), dtype=bool) if self.seen is None else self.seen
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
            source = np.full(len(self.sources) * self.model.grid.size, len(place))
            source[place] = np.arange(len(place))
            found.append((tuple(members), source))
        return tuple(found)

    def _transfer_on_grid(self, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any) -> Array:
        ones = xp.ones((n, self.model.grid.size))
        factors = [
            ones if column.folded else self._transfer_of_column(column, column.isotopes[0][0], components, n, xp)
            for column in self.columns
        ]
        return xp.stack(factors, axis=-2)

    def _transfer_of_column(
        self, column: Column, nuclide: Nuclide, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any
    ) -> Array:
        rigidity = xp.asarray(self.model.grid.rigidity)
        propagation = {k: _last_axis(v) for k, v in components["galaxy"].items()}
        member = self._population_at(column)
        source = {k: _last_axis(v) for k, v in components[member.name].items() if k in SOURCE_PARAMETERS}
        factor = self.model.galaxy.transfer(member, nuclide, rigidity, propagation, source, reduced=True)
        return expanded(factor, (n, len(rigidity)), xp)


def connect(
    table: SourceTable, responses: Sequence[ExperimentResponse], reference: Mapping[str, Array] | None = None
) -> tuple[SourceTable, tuple[ExperimentResponse, ...]]:
    """Join a table and the responses that it will meet, so that only what they see is evaluated.

    Parameters
    ----------
    table : SourceTable
        From `SourceTable.build`.
    responses : sequence of ExperimentResponse
        Built with it.
    reference : mapping, optional
        As for `SourceTable.restricted`.

    Returns
    -------
    tuple
        The table and the responses that take what it evaluates.
    """
    table = table.restricted((response.seen for response in responses), reference)
    if table.arrivals is None:
        return table, tuple(responses)
    return table, tuple(response.at(table.arrivals.places) for response in responses)


def _last_axis(value: Array) -> Array:
    return value[..., None] if getattr(value, "ndim", 0) else value
