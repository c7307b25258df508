"""The forward model as it runs inside a fit: source spectra on a grid, then one matrix per experiment.

Tests compare it with `ForwardModel.flux`, which evaluates everything exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..backend import Array, namespace
from ..model import ForwardModel, injected_amplitude, injected_energy, plain_name
from ..observe.response import ChebyshevAxis, Isotopes, Points, Transfer, response_matrix, tabulate_response
from ..populations.base import Population


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
    """

    model: ForwardModel
    columns: tuple[Column, ...]
    selections: tuple[np.ndarray, ...]
    weights: tuple[np.ndarray, ...]
    fixed: Mapping[str, float] = field(default_factory=dict)

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
            free_place = place != "disc" and bool({f"{place}.age", f"{place}.distance"} & varying)
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

    def transfer_of(self, column: Column) -> Transfer | None:
        """Transfer function that belongs into a column's response matrix, None if it is applied on the grid."""
        if not column.folded:
            return None
        components = self.model.local_values(self.fixed)
        population = self._population_at(column.place)
        source = {k: v for k, v in components[population.name].items() if k in ("age", "distance")}

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
        shapes, coefficients, extra = [], [], []
        for member, selection, weights in zip(self.model.populations, self.selections, self.weights, strict=True):
            values = components[member.name]
            if member.injected is not None:
                extra.append(self._injected(member, selection, values, n, xp))
                continue
            shape = member.shape(rigidity, values)
            abundance = self.model.abundances(member, values)
            amplitude = injected_amplitude(member, values, shape, abundance, weights)
            amplitude = xp.asarray(amplitude)[..., None]
            coefficient = _expand(amplitude * (abundance @ selection), (n, len(self.columns)), xp)
            if member.shape_per_element:
                # an element goes into one column, or, where isotopes travel apart, into several
                element = xp.asarray(np.argmax(selection > 0, axis=0))
                extra.append(coefficient[..., None] * xp.take(shape, element, axis=-2))
            else:
                shapes.append(_expand(shape, (n, len(rigidity)), xp))
                coefficients.append(coefficient)
        spectra = 0.0
        if shapes:
            spectra = xp.stack(coefficients, axis=-1) @ xp.stack(shapes, axis=-2)
        for term in extra:
            spectra = spectra + term
        if all(column.folded for column in self.columns):
            return spectra
        return spectra * self._transfer_on_grid(components, n, xp)

    def _injected(
        self, member: Population, selection: np.ndarray, values: Mapping[str, Array], n: int, xp: Any
    ) -> Array:
        """Spectra of all columns from a population that gives them itself, shape ``(n, n_columns, size)``."""
        columns = np.flatnonzero(np.any(selection > 0, axis=0))
        element = np.argmax(selection > 0, axis=0)
        log_energy = xp.log(xp.asarray(injected_energy(member, values)))
        spectra = member.injected(  # type: ignore[misc]
            self.model.grid.rigidity, values, log_energy, tuple(int(k) for k in element[columns])
        )
        spectra = _expand(spectra, (n, len(columns), self.model.grid.size), xp)
        fraction = selection[element[columns], columns]
        if np.any(fraction != 1.0):
            spectra = spectra * xp.asarray(fraction)[:, None]
        if len(columns) == selection.shape[1]:
            return spectra
        place = np.full(selection.shape[1], len(columns))
        place[columns] = np.arange(len(columns))
        nothing = xp.zeros((n, 1, self.model.grid.size))
        return xp.take(xp.concat([spectra, nothing], axis=1), xp.asarray(place), axis=1)

    def _transfer_on_grid(self, components: Mapping[str, Mapping[str, Array]], n: int, xp: Any) -> Array:
        rigidity = xp.asarray(self.model.grid.rigidity)
        propagation = {k: _last_axis(v) for k, v in components["galaxy"].items()}
        factors = []
        for column in self.columns:
            if column.folded:
                factors.append(xp.ones((n, len(rigidity))))
                continue
            member = self._population_at(column.place)
            source = {k: _last_axis(v) for k, v in components[member.name].items() if k in ("age", "distance")}
            nuclide = column.isotopes[0][0]
            factor = self.model.galaxy.transfer(member, nuclide, rigidity, propagation, source, reduced=True)
            factors.append(_expand(factor, (n, len(rigidity)), xp))
        return xp.stack(factors, axis=-2)


CHUNK = 8
STRETCH = 26
"""Most points of a block, and most grid points it should see: neighbours see nearly the same stretch of the grid, and
small blocks keep the matrices small."""


@dataclass(frozen=True, eq=False)
class ExperimentResponse:
    """Matrices of one experiment, from columns on the grid to all its points.

    The points of each (table, column) pair are cut into blocks of `CHUNK` neighbours; a block multiplies the stretch of
    the grid that its points see.

    Attributes
    ----------
    gather : numpy.ndarray of int
        ``(n_blocks, stretch)``: entries of the flattened ``(n_columns, grid.size)`` that each block sees.
    matrices : numpy.ndarray
        ``(n_blocks, n_nodes * CHUNK, stretch)``.
    scatter : numpy.ndarray
        If every table has one column: indices ``(n_points,)`` into the flattened ``(n_blocks, CHUNK)``. If
        tables are sums of columns: a matrix ``(n_points, n_blocks * CHUNK)`` of zeros and ones.
    axes : tuple of ChebyshevAxis
        Modulation potential and energy scale.
    """

    gather: np.ndarray
    matrices: np.ndarray
    scatter: np.ndarray
    axes: tuple[ChebyshevAxis, ChebyshevAxis]

    @classmethod
    def build(
        cls,
        table: SourceTable,
        measurements: Sequence[tuple[tuple[str, ...], Points]],
        phi_range: tuple[float, float],
        scale_range: tuple[float, float],
    ) -> ExperimentResponse:
        """Make the matrices of an experiment.

        Parameters
        ----------
        table : SourceTable
            The columns.
        measurements : sequence of (elements, Points)
            What each table sums, and where it is measured.
        phi_range, scale_range : tuple of float
            Ranges of modulation potential [GV] and energy scale; equal ends where fixed.
        """
        grid = table.model.grid
        pairs = [
            (t, c)
            for t, (elements, _) in enumerate(measurements)
            for c, column in enumerate(table.columns)
            if column.element in elements
        ]
        transfers = [table.transfer_of(column) for column in table.columns]

        def build(phi: float, scale: float) -> np.ndarray:
            return np.concatenate(
                [
                    response_matrix(measurements[t][1], table.columns[c].isotopes, grid, transfers[c], phi, scale)
                    for t, c in pairs
                ],
                axis=1,
            )

        full, axes = tabulate_response(build, phi_range, scale_range, grid)
        starts = np.concatenate([[0], np.cumsum([len(points.x) for _, points in measurements])])
        nonzero = np.any(full != 0.0, axis=0)
        lowest, highest = np.argmax(nonzero, axis=0), grid.size - 1 - np.argmax(nonzero[::-1], axis=0)
        blocks: list[tuple[int, np.ndarray, np.ndarray]] = []  # column, entries of full, points of the experiment
        offset = 0
        for t, c in pairs:
            n_points = int(starts[t + 1] - starts[t])
            for inside in _cut(lowest[offset : offset + n_points], highest[offset : offset + n_points]):
                blocks.append((c, offset + inside, starts[t] + inside))
            offset += n_points
        stretch = max(int(highest[e].max() - lowest[e].min()) + 1 for _, e, _ in blocks)
        gather = np.zeros((len(blocks), stretch), dtype=int)
        matrices = np.zeros((len(blocks), len(full), CHUNK, stretch))
        incidence = np.zeros((len(blocks) * CHUNK, int(starts[-1])))
        for k, (c, entries, points) in enumerate(blocks):
            first = min(int(lowest[entries].min()), grid.size - stretch)
            gather[k] = c * grid.size + first + np.arange(stretch)
            matrices[k, :, : len(entries)] = full[:, first : first + stretch, entries].transpose(0, 2, 1)
            incidence[k * CHUNK + np.arange(len(points)), points] = 1.0
        single = bool(np.all(incidence.sum(axis=0) == 1.0))
        scatter = np.argmax(incidence, axis=0) if single else incidence.T
        return cls(gather, matrices.reshape(len(blocks), -1, stretch), scatter, axes)

    def predict(self, spectra: Array, phi: Array, scale: Array) -> Array:
        """Predicted fluxes at all points of the experiment.

        Parameters
        ----------
        spectra : array
            From `SourceTable.evaluate`, ``(n, n_columns, grid.size)``.
        phi, scale : array or float
            Nuisance parameters, numbers or ``(n,)``.

        Returns
        -------
        array
            ``(n, n_points)`` in 1/(m^2 s sr) per unit of each table's axis.
        """
        xp = namespace(spectra)
        n = spectra.shape[0]
        # parameter vectors come last, so that every operation runs along contiguous memory
        flat = xp.permute_dims(xp.reshape(spectra, (n, -1)), (1, 0))
        seen = xp.take(flat, xp.asarray(self.gather.ravel()), axis=0)
        fluxes = xp.matmul(xp.asarray(self.matrices), xp.reshape(seen, (*self.gather.shape, n)))
        nodes = len(self.axes[0].nodes) * len(self.axes[1].nodes)
        if nodes > 1:
            weights = self.axes[0].coefficients(phi, xp)
            if len(self.axes[1].nodes) > 1:
                second = self.axes[1].coefficients(scale, xp)
                weights = xp.reshape(weights[..., :, None] * second[..., None, :], (-1, nodes))
            weights = xp.permute_dims(_expand(weights, (n, nodes), xp), (1, 0))
            fluxes = xp.reshape(fluxes, (fluxes.shape[0], nodes, -1, n))
            total = fluxes[:, 0] * weights[0]
            for j in range(1, nodes):
                total = total + fluxes[:, j] * weights[j]
            fluxes = total
        slots = xp.reshape(fluxes, (-1, n))
        if self.scatter.ndim == 1:
            return xp.permute_dims(xp.take(slots, xp.asarray(self.scatter), axis=0), (1, 0))
        return xp.permute_dims(xp.asarray(self.scatter) @ slots, (1, 0))


def _cut(lowest: np.ndarray, highest: np.ndarray) -> list[np.ndarray]:
    """Cut neighbouring points into blocks of at most `CHUNK` points that see at most `STRETCH` grid points.

    ``lowest`` and ``highest`` are the first and last grid point of each point; one that sees more is a block alone.
    """
    blocks: list[list[int]] = []
    for k in range(len(lowest)):
        block = blocks[-1] if blocks else []
        together = [*block, k]
        if block and len(block) < CHUNK and highest[together].max() - lowest[together].min() < STRETCH:
            block.append(k)
        else:
            blocks.append([k])
    return [np.array(block) for block in blocks]


def _expand(array: Array, shape: tuple[int, ...], xp: Any) -> Array:
    """Broadcast, but at no cost where the shape is right already."""
    return array if array.shape == shape else xp.broadcast_to(array, shape)


def _last_axis(value: Array) -> Array:
    return value[..., None] if getattr(value, "ndim", 0) else value
