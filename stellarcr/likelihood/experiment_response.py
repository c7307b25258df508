"""From source spectra on the grid to an experiment's points: one set of matrices, made before the fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ..backend import Array, expanded, namespace
from ..observe.response import ChebyshevAxis, Points, response_matrix, tabulate_response

if TYPE_CHECKING:
    from .prediction import SourceTable

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
            if not np.any(nonzero[:, offset : offset + n_points]):
                offset += n_points  # protons in the numerator of <ln A>: ln 1
                continue
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

    @property
    def seen(self) -> np.ndarray:
        """Entries of the flattened ``(n_columns, grid.size)`` on which a prediction depends."""
        return self.gather[np.any(self.matrices != 0.0, axis=1)]

    def at(self, places: np.ndarray) -> ExperimentResponse:
        """The same response to spectra that hold only some entries.

        Parameters
        ----------
        places : numpy.ndarray of int
            For every entry of the flattened ``(n_columns, grid.size)``, where it is among those.
        """
        return replace(self, gather=places[self.gather])

    def predict(self, spectra: Array, phi: Array, scale: Array) -> Array:
        """Predicted fluxes at all points of the experiment.

        Parameters
        ----------
        spectra : array
            From `SourceTable.evaluate`, ``(n, n_columns, grid.size)`` or, after `at`, ``(n, n_places)``.
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
            weights = xp.permute_dims(expanded(weights, (n, nodes), xp), (1, 0))
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
