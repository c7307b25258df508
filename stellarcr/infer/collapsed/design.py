"""The linear model: what each amplitude's unit predicts, and what all else predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stellarcr.infer.posterior_protocol import FloatArray
from stellarcr.likelihood.experiment import ExperimentLikelihood
from stellarcr.likelihood.prediction import SourceTable
from stellarcr.model import injected_energy
from stellarcr.populations import Population
from stellarcr.species import members, parts

from .gaussian import Peak, find_peak
from .whitening import Whitening, whitening_of

TINY = 1e-150
"""Value of a population's shape, of order one at 1 GV, that counts as zero."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of all experiments, split by amplitude.

    Attributes
    ----------
    rest : array, shape (n, n_points)
        Of everything but the population.
    units : array, shape (n_colours, n, n_points)
        Of all amplitudes of one colour at one, and nothing else.
    shares : array, shape (n, d)
        Share of the population's power in each amplitude's unit.
    """

    rest: FloatArray
    units: FloatArray
    shares: FloatArray


@dataclass(frozen=True, eq=False)
class Design:
    """Splits predictions into the amplitudes of one population and the rest.

    Amplitude 0 multiplies all elements of the population whose abundance is not an amplitude, amplitude k the k-th of
    ``elements``. Amplitudes that no table sees together share one evaluation of the model (a colour).

    Attributes
    ----------
    sources : SourceTable
        Source spectra.
    likelihoods : tuple of ExperimentLikelihood
        Data and responses.
    population : Population
        Whose amplitudes are split off.
    elements : tuple of str
        Elements with an amplitude of their own.
    """

    sources: SourceTable
    likelihoods: tuple[ExperimentLikelihood, ...]
    population: Population
    elements: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of amplitudes."""
        return 1 + len(self.elements)

    @cached_property
    def _member(self) -> int:
        return next(k for k, p in enumerate(self.sources.model.populations) if p.name == self.population.name)

    @cached_property
    def _owner(self) -> np.ndarray:
        """Amplitude of each element of the population."""
        return np.array([1 + self.elements.index(e) if e in self.elements else 0 for e in self.population.elements])

    @cached_property
    def incidence(self) -> np.ndarray:
        """Which amplitude reaches which point of all experiments, ``(d, n_points)`` of bool."""
        amplitude = dict(zip(self.population.elements, self._owner, strict=True))
        columns = []
        for likelihood in self.likelihoods:
            for table in likelihood.data.tables:
                column = np.zeros(self.size, dtype=bool)
                seen = [e for part in parts(table.species) for e in members(part)]
                column[[amplitude[e] for e in seen if e in amplitude]] = True
                columns.append(np.repeat(column[:, None], len(table), axis=1))
        return np.concatenate(columns, axis=1)

    @cached_property
    def colours(self) -> np.ndarray:
        """Colour of each amplitude: equal ones never meet in a table."""
        together = self.incidence.astype(int) @ self.incidence.T.astype(int) > 0
        colours = np.zeros(self.size, dtype=int)
        for k in range(1, self.size):
            taken = {int(colours[j]) for j in range(k) if together[k, j]}
            colours[k] = next(c for c in range(self.size) if c not in taken)
        return colours

    @cached_property
    def _whitenings(self) -> tuple[tuple[slice, Whitening], ...]:
        result, start = [], 0
        for likelihood in self.likelihoods:
            n = len(likelihood.data.values)
            result.append((slice(start, start + n), whitening_of(likelihood.data)))
            start += n
        return tuple(result)

    @cached_property
    def _alone(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Independent points, their inverse errors, and which amplitude reaches each, ``(n_alone, d)``."""
        points = np.concatenate([part.start + w.independent for part, w in self._whitenings])
        scale = np.concatenate([w.scale for _, w in self._whitenings])
        return points, scale, self.incidence[:, points].T.astype(float)

    @cached_property
    def log_constant(self) -> float:
        """Log-likelihood of residuals zero."""
        return sum(w.log_constant for _, w in self._whitenings)

    @cached_property
    def _values(self) -> np.ndarray:
        return np.concatenate([likelihood.data.values for likelihood in self.likelihoods])

    def predictions(self, values: Mapping[str, Any], n: int) -> Predictions:
        """Predict the points of all experiments, part by part.

        Parameters
        ----------
        values : mapping
            Parameters by full name, numbers or ``(n,)``: the population's power at its reference, multipliers of
            ``elements`` one.
        n : int
            Number of points of parameter space.
        """
        table, population, model = self.sources, self.population, self.sources.model
        components = model.local_values(values)
        local = components[population.name]
        shape = population.shape(model.grid.rigidity, local)
        # far above the cutoff nothing else hides subnormal numbers, which processors multiply a hundred times slower
        shape = np.where(shape > TINY, shape, 0.0)
        abundance = model.abundances(population, local)
        energies = (shape @ table.weights[self._member]) * abundance
        groups = energies @ (self._owner[:, None] == np.arange(self.size)).astype(float)
        released = np.sum(groups, axis=-1, keepdims=True)
        number = np.broadcast_to(injected_energy(population, local), (n,))[:, None] / released

        def predict(spectra: FloatArray) -> FloatArray:
            # part by part: one large batch would leave the processor's cache
            received = table.received(spectra, components, n)
            return np.concatenate([k.predict(received, values) for k in self.likelihoods], axis=-1)

        units = []
        for colour in range(int(self.colours.max()) + 1):
            chosen = abundance * (self.colours[self._owner] == colour)
            coefficient = number * (chosen @ table.selections[self._member])
            units.append(predict(coefficient[..., None] * shape[..., None, :]))
        rest = predict(table.injected(components, n, without=population.name))
        return Predictions(rest, np.stack(units), np.broadcast_to(groups / released, (n, self.size)))

    def peak(self, predicted: Predictions) -> Peak:
        """Find where the likelihood peaks in the amplitudes.

        Parameters
        ----------
        predicted : Predictions
            From `predictions`.
        """
        residuals, units = self._values - predicted.rest, predicted.units
        points, scale, alone = self._alone
        white = residuals[:, points] * scale
        chi2 = np.sum(white * white, axis=-1)
        if len(units) == 1:
            unit = units[0][:, points] * scale
            precision = ((unit * unit) @ alone)[:, :, None] * np.eye(self.size)
            projected = (unit * white) @ alone
        else:
            design = self._designs(units, points) * scale
            precision = design @ np.swapaxes(design, 1, 2)
            projected = (design @ white[..., None])[..., 0]
        for part, whitening in self._whitenings:
            for block, matrix in whitening.blocks:
                where = part.start + block
                white = residuals[:, where] @ matrix
                design = self._designs(units, where) @ matrix
                chi2 = chi2 + np.sum(white * white, axis=-1)
                precision = precision + design @ np.swapaxes(design, 1, 2)
                projected = projected + (design @ white[..., None])[..., 0]
        return find_peak(precision, projected, chi2)

    def _designs(self, units: FloatArray, points: np.ndarray) -> FloatArray:
        """What each amplitude's unit predicts at some points, ``(n, d, n_points)``."""
        seen = units[..., points][self.colours] * self.incidence[:, None, points]
        return np.swapaxes(seen, 0, 1)
