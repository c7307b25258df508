"""The forward model as it runs inside a fit: source spectra on a grid, then one matrix per experiment.

Tests compare it with `ForwardModel.flux`, which evaluates everything exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..backend import Array, namespace
from ..model import ForwardModel, injected_amplitude, plain_name
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

    def evaluate(self, parameters: Mapping[str, Array], n: int) -> Array:
        """Spectra of all columns on the grid.

        Parameters
        ----------
        parameters : mapping
            Values by full name, numbers or ``(n,)``.
        n : int
            Number of parameter vectors.

        Returns
        -------
        array
            ``(n, n_columns, grid.size)``: injected spectra [1/(GV s), bursts 1/GV] where the transfer is part of the
            response, densities at the Sun [1/(m^3 GV)] where it is not.
        """
        components = self.model.local_values(parameters)
        rigidity = self.model.grid.rigidity
        xp = namespace(*parameters.values())
        shapes, coefficients, extra = [], [], None
        for member, selection, weights in zip(self.model.populations, self.selections, self.weights, strict=True):
            values = components[member.name]
            shape = member.shape(rigidity, values)
            abundance = self.model.abundances(member, values)
            amplitude = injected_amplitude(member, values, shape, abundance, weights)
            amplitude = xp.asarray(amplitude)[..., None]
            coefficient = xp.broadcast_to(amplitude * (abundance @ selection), (n, len(self.columns)))
            if member.shape_per_element:
                spread = xp.einsum("...ek,ec->...ck", shape, (selection > 0).astype(float))
                term = coefficient[..., None] * spread
                extra = term if extra is None else extra + term
            else:
                shapes.append(xp.broadcast_to(shape, (n, len(rigidity))))
                coefficients.append(coefficient)
        spectra = 0.0
        if shapes:
            spectra = xp.stack(coefficients, axis=-1) @ xp.stack(shapes, axis=-2)
        if extra is not None:
            spectra = spectra + extra
        if all(column.folded for column in self.columns):
            return spectra
        return spectra * self._transfer_on_grid(components, n)

    def _transfer_on_grid(self, components: Mapping[str, Mapping[str, Array]], n: int) -> Array:
        xp = namespace(*(v for values in components.values() for v in values.values()))
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
            factors.append(xp.broadcast_to(factor, (n, len(rigidity))))
        return xp.stack(factors, axis=-2)


@dataclass(frozen=True, eq=False)
class ExperimentResponse:
    """Matrix of one experiment, from columns on the grid to all its points.

    Attributes
    ----------
    columns : numpy.ndarray of int
        Column of each (table, column) pair.
    matrices : numpy.ndarray
        ``(n_pairs, band, n_nodes * n_padded)``: the pairs' matrices over the band of the grid that the data see.
    band : tuple of int
        First and one past the last grid point.
    sums : numpy.ndarray or None
        ``(n_tables, n_pairs)``: which pairs a table sums; None if each table has one.
    valid : numpy.ndarray of int
        Indices of real points in the padded ``(n_tables, n_padded)``.
    axes : tuple of ChebyshevAxis
        Modulation potential and energy scale.
    """

    columns: np.ndarray
    matrices: np.ndarray
    band: tuple[int, int]
    sums: np.ndarray | None
    valid: np.ndarray
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
        used = np.flatnonzero(np.any(full != 0.0, axis=(0, 2)))
        band = (int(used[0]), int(used[-1]) + 1)
        padded = max(len(points.x) for _, points in measurements)
        matrices = np.zeros((len(pairs), band[1] - band[0], len(full), padded))
        start = 0
        for k, (t, _) in enumerate(pairs):
            stop = start + len(measurements[t][1].x)
            matrices[k, :, :, : stop - start] = full[:, band[0] : band[1], start:stop].transpose(1, 0, 2)
            start = stop
        sums = None
        if [t for t, _ in pairs] != list(range(len(measurements))):
            sums = np.zeros((len(measurements), len(pairs)))
            for k, (t, _) in enumerate(pairs):
                sums[t, k] = 1.0
        valid = np.concatenate([t * padded + np.arange(len(points.x)) for t, (_, points) in enumerate(measurements)])
        flat = matrices.reshape(len(pairs), band[1] - band[0], -1)
        return cls(np.array([c for _, c in pairs]), flat, band, sums, valid, axes)

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
        seen = xp.take(spectra[:, :, self.band[0] : self.band[1]], xp.asarray(self.columns), axis=1)
        fluxes = xp.matmul(xp.permute_dims(seen, (1, 0, 2)), xp.asarray(self.matrices))
        nodes = len(self.axes[0].nodes) * len(self.axes[1].nodes)
        if nodes > 1:
            first = self.axes[0].coefficients(xp.broadcast_to(xp.asarray(phi), (n,)))
            second = self.axes[1].coefficients(xp.broadcast_to(xp.asarray(scale), (n,)))
            weights = xp.reshape(first[:, :, None] * second[:, None, :], (n, nodes, 1))
            fluxes = xp.sum(xp.reshape(fluxes, (fluxes.shape[0], n, nodes, -1)) * weights, axis=2)
        if self.sums is not None:
            fluxes = xp.tensordot(xp.asarray(self.sums), fluxes, axes=1)
        flat = xp.reshape(xp.permute_dims(fluxes, (1, 0, 2)), (n, -1))
        return xp.take(flat, xp.asarray(self.valid), axis=1)


def _last_axis(value: Array) -> Array:
    return value[..., None] if getattr(value, "ndim", 0) else value
