"""Spectra of a posterior as the figures draw them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ParameterError, nearest
from ..infer.posterior import Posterior
from ..observe.axes import rigidity
from ..plots.spectrum_panel import Band, DataSeries, SpectrumPanel, place_on_axis
from ..species import ELEMENTS, dominant_isotope

CURVE_POINTS = 160


def spectrum_panels(
    posterior: Posterior,
    theta: np.ndarray,
    best: np.ndarray,
    species: Sequence[str] | None = None,
    fraction: float = 0.68,
) -> list[SpectrumPanel]:
    """Put model bands and data of every fitted element on one rigidity axis.

    Curves are at Earth, modulated with the potential of the first experiment (its median); experiments with another
    potential differ from them by a few per cent near 20 GV. Pulls are exact: each point against its own prediction
    at ``best``, bin average, axis and modulation included.

    Parameters
    ----------
    posterior : Posterior
        Model and data.
    theta : numpy.ndarray
        Draws ``(n, n_dim)`` that the bands span; one row gives curves without bands.
    best : numpy.ndarray
        Point ``(n_dim,)`` that the pulls refer to.
    species : sequence of str, optional
        Elements; by default all that the data hold.
    fraction : float
        Probability inside a band.

    Returns
    -------
    list of SpectrumPanel
        By charge.

    Raises
    ------
    ParameterError
        If an element is not among the data.
    """
    tables = [(likelihood, t) for likelihood in posterior.likelihoods for t in likelihood.data.tables]
    known = [e for e in ELEMENTS if any(t.species == e for _, t in tables)]
    for name in species or ():
        if name not in known:
            raise ParameterError(f"no fitted table measures {name!r}", remedy=nearest(name, known))
    predicted = posterior.predictions(best[None, :])
    values = posterior.space.resolve(theta)
    parameters = posterior.model_parameters(values)
    phi = float(np.median(values[f"{posterior.likelihoods[0].data.key}.phi"]))
    lowest, highest = rigidity_span(posterior)
    x = np.geomspace(0.8 * lowest, 1.6 * highest, CURVE_POINTS)
    panels = []
    for element in species or known:
        series = []
        for _, table in tables:
            if table.species != element:
                continue
            low, high = table.total_error()
            residual = table.value.value - predicted[table.name][0]
            points = DataSeries(
                table.experiment,
                table.x.value,
                table.value.value,
                low.value,
                high.value,
                table.stat_low.value,
                table.stat_high.value,
                table.x_low.value,
                table.x_high.value,
                residual / np.where(residual < 0, high.value, low.value),
                table.upper_limit,
            )
            series.append(place_on_axis(points, element, table.axis, "R"))
        fluxes = posterior.model.flux(parameters, element, x, "R", phi)
        bands = {
            name: Band.from_samples(np.broadcast_to(flux, (len(theta), len(x))), fraction)
            if len(theta) > 1
            else Band(np.broadcast_to(flux, (1, len(x)))[0])
            for name, flux in fluxes.items()
            if np.any(flux > 0)
        }
        total = bands.pop("total")
        panels.append(SpectrumPanel(element, x, bands, total, series))
    return panels


def rigidity_span(posterior: Posterior) -> tuple[float, float]:
    """Smallest and largest rigidity [GV] of all fitted points."""
    spans = [
        rigidity(t.axis, t.x.value, dominant_isotope(t.species if t.species in ELEMENTS else "H"))
        for likelihood in posterior.likelihoods
        for t in likelihood.data.tables
    ]
    together = np.concatenate(spans)
    return float(together.min()), float(together.max())
