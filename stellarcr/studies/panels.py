"""Spectra and pulls of a posterior as the figures draw them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..data import Spectrum
from ..errors import ParameterError, nearest
from ..infer.posterior import Posterior
from ..likelihood.experiment import ExperimentData, representative_rigidity
from ..observe.axes import check_axis, from_rigidity, rigidity
from ..plots.spectrum_panel import Band, DataSeries, SpectrumPanel, place_on_axis
from ..species import ELEMENTS, dominant_isotope, is_ratio, parts
from .quantities import evaluate

CURVE_POINTS = 160


def spectrum_panels(
    posterior: Posterior,
    theta: np.ndarray,
    best: np.ndarray,
    species: Sequence[str] | None = None,
    fraction: float = 0.68,
    axis: str = "R",
    span: tuple[float, float] | None = None,
    labels: Mapping[str, str] | None = None,
) -> list[SpectrumPanel]:
    """Put model bands and data of every fitted species on one axis; ratios with their total alone.

    Curves are at Earth, modulated with the potential of the first experiment (its median), those of ratios with that of
    the first that holds ratios; experiments with another potential differ from them by a few per cent near 20 GV. Pulls
    are exact: each point against its own prediction at ``best``, bin average, axis and modulation included.

    Parameters
    ----------
    posterior : Posterior
        Model and data.
    theta : numpy.ndarray
        Draws ``(n, n_dim)`` that the bands span; one row gives curves without bands.
    best : numpy.ndarray
        Point ``(n_dim,)`` that the pulls refer to.
    species : sequence of str, optional
        Elements, sums or ratios; by default all elements that the data hold, and sums and ratios measured on `axis`.
    fraction : float
        Probability inside a band.
    axis : {"R", "EK", "EKN", "ETOT"}
        The axis.
    span : tuple of float, optional
        Smallest and largest point of the curves on the axis; by default somewhat more than the data.
    labels : mapping, optional
        What the legend calls each table, by name; by default `series_labels` of the fitted tables.

    Returns
    -------
    list of SpectrumPanel
        By charge; then sums and ratios.

    Raises
    ------
    ParameterError
        If the axis is unknown, or a species is not among the data that can be drawn on it.
    """
    check_axis(axis)
    tables = fitted_tables(posterior)
    labels = series_labels(tables) if labels is None else labels
    sums = dict.fromkeys(t.species for t in tables if t.species not in ELEMENTS)
    known = _known(tables, axis)
    for name in species or ():
        if name in sums and name not in known:
            measured = ", ".join(sorted({t.axis for t in tables if t.species == name}))
            what = "a ratio of two elements" if is_ratio(name) else "no single element"
            raise ParameterError(
                f"{name!r} cannot be drawn on the axis {axis}: it is {what}",
                remedy=f"draw it on the axis that it is measured on, with --axis {measured}",
            )
        if name not in known:
            raise ParameterError(f"no fitted table measures {name!r}", remedy=nearest(name, known))
    if not known:
        measured = ", ".join(sorted({t.axis for t in tables}))
        raise ParameterError(f"no fitted table can be drawn on the axis {axis}", remedy=f"use --axis {measured}")
    predicted = posterior.predictions(best[None, :])
    values = posterior.space.resolve(theta)
    parameters = posterior.model_parameters(values)
    potentials = {
        ratios: float(np.median(values[f"{data.key}.phi"]))
        for ratios in (False, True)
        for data in [_first(posterior, ratios)]
    }
    x = np.geomspace(*(span or curve_span(posterior, axis)), CURVE_POINTS)
    lowest = curve_span(posterior, "R")[0]
    names = {member.name: member.label for member in posterior.model.populations}
    panels = []
    for element in species or known:
        series = [
            place_on_axis(_points(table, predicted[table.name][0], labels[table.name]), element, table.axis, axis)
            for table in tables
            if table.species == element and (element in ELEMENTS or table.axis == axis)
        ]
        ratio = is_ratio(element)
        fluxes = evaluate(posterior.model, parameters, element, x, axis, potentials[ratio])
        fluxes = {"total": fluxes["total"]} if ratio else fluxes
        if axis != "R" and element in ELEMENTS:
            # Near its rest energy a nucleus has rigidities far below the data, which this model does not describe.
            seen = rigidity(axis, x, dominant_isotope(element)) > lowest
            fluxes = {name: np.where(seen, flux, np.nan) for name, flux in fluxes.items()}
        bands = {
            name: Band.from_samples(np.broadcast_to(flux, (len(theta), len(x))), fraction)
            if len(theta) > 1
            else Band(np.broadcast_to(flux, (1, len(x)))[0])
            for name, flux in fluxes.items()
            if np.any(flux > 0)
        }
        total = bands.pop("total")
        bands = {name: replace(band, label=names[name]) for name, band in bands.items()}
        panels.append(SpectrumPanel(element, x, bands, total, series, axis))
    return panels


def _first(posterior: Posterior, ratios: bool) -> ExperimentData:
    """The first experiment that holds ratios, or fluxes; the first of all if there is none."""
    listed = [likelihood.data for likelihood in posterior.likelihoods]
    return next((data for data in listed if data.holds_ratios == ratios), listed[0])


@dataclass(frozen=True)
class FigureContent:
    """Species that share a figure: fluxes on the axis that is asked for, or ratios on the axis of their tables.

    Attributes
    ----------
    axis : str
        Axis code.
    ratios : bool
        Whether they are ratios.
    """

    axis: str
    ratios: bool

    def suffix(self, others: Collection[FigureContent]) -> str:
        """What tells its file from those of other figures; empty for a figure that is alone."""
        if len(others) < 2 or not self.ratios:
            return ""
        several = sum(other.ratios for other in others) > 1
        return f"-ratios-{self.axis}" if several else "-ratios"


def figures_of(posterior: Posterior, species: Sequence[str] | None, axis: str) -> dict[FigureContent, list[str]]:
    """Sort what is fitted into figures.

    Parameters
    ----------
    posterior : Posterior
        Model and data.
    species : sequence of str, optional
        Elements, sums or ratios; by default all that can be drawn.
    axis : str
        Axis of the fluxes. Ratios stay on the axis of their tables.

    Returns
    -------
    dict
        Figure to the species that `spectrum_panels` is asked for; fluxes first.

    Raises
    ------
    ParameterError
        If nothing but <ln A> is fitted.
    """
    tables = fitted_tables(posterior)
    if not tables:
        raise ParameterError(
            "the fit holds <ln A> alone, which is no spectrum",
            remedy="stellarcr predict RUN --species lnA --axis ETOT predicts it",
        )
    ratios: dict[FigureContent, list[str]] = {}
    for table in tables:
        if is_ratio(table.species) and (species is None or table.species in species):
            listed = ratios.setdefault(FigureContent(table.axis, True), [])
            listed += [table.species] * (table.species not in listed)
    placed = {name for listed in ratios.values() for name in listed}
    if species is not None:
        # names that no table has are refused with the fluxes
        fluxes = [name for name in species if name not in placed]
    else:
        fluxes = _known(tables, axis, ratios=False)
    return {FigureContent(axis, False): fluxes, **ratios} if fluxes or not ratios else ratios


def _known(tables: Sequence[Spectrum], axis: str, ratios: bool = True) -> list[str]:
    """What can be drawn on an axis: elements by charge, then sums and ratios that are measured on it."""
    known = [e for e in ELEMENTS if any(t.species == e for t in tables)]
    fixed = dict.fromkeys(t.species for t in tables if t.species not in ELEMENTS and t.axis == axis)
    return known + [s for s in fixed if ratios or not is_ratio(s)]


def pull_panels(posterior: Posterior, best: np.ndarray) -> list[SpectrumPanel]:
    """Pulls of all fitted points against rigidity: panels with data and without curves.

    Parameters
    ----------
    posterior : Posterior
        Model and data.
    best : numpy.ndarray
        Point ``(n_dim,)`` that the pulls refer to.

    Returns
    -------
    list of SpectrumPanel
        Elements by charge, then sums, at the rigidity that hydrogen of their energy has, and ratios, at the smaller
        rigidity of both nuclei.
    """
    predicted = posterior.predictions(best[None, :])
    tables = fitted_tables(posterior)
    labels = series_labels(tables)
    found = list(dict.fromkeys(t.species for t in tables))
    panels = []
    for species in [*(e for e in ELEMENTS if e in found), *(s for s in found if s not in ELEMENTS)]:
        series = [
            replace(
                _points(t, predicted[t.name][0], labels[t.name]), x=representative_rigidity(t), x_low=None, x_high=None
            )
            for t in tables
            if t.species == species
        ]
        panels.append(SpectrumPanel(species, np.empty(0), data=series))
    return panels


def fitted_tables(posterior: Posterior) -> list[Spectrum]:
    """All tables of fluxes and ratios that a posterior is fitted to; <ln A> is no spectrum."""
    return [t for likelihood in posterior.likelihoods for t in likelihood.data.tables if t.quantity != "lnA"]


def series_labels(tables: Iterable[Spectrum]) -> dict[str, str]:
    """Name tables in a legend, so that different measurements of one experiment are told apart.

    Parameters
    ----------
    tables : iterable of Spectrum
        All tables of a figure; the same table may come more than once.

    Returns
    -------
    dict of str to str
        By the table's name: its experiment, with the hadronic model where the experiment has several tables of a
        species, and the table's own name where that is not enough.
    """
    unique = {table.name: table for table in tables}
    several = _repeated((t.experiment, t.species) for t in unique.values())
    models = _repeated((t.experiment, t.species, t.hadronic_model) for t in unique.values())
    labels = {}
    for name, table in unique.items():
        alike = {key for key in models if key[0] == table.experiment}
        if table.experiment not in {key[0] for key in several}:
            labels[name] = table.experiment
        elif alike or table.hadronic_model is None:
            labels[name] = f"{table.experiment} ({name})"
        else:
            labels[name] = f"{table.experiment} ({table.hadronic_model})"
    return labels


def _repeated(keys: Iterable[tuple[str | None, ...]]) -> set[tuple[str | None, ...]]:
    return {key for key, count in Counter(keys).items() if count > 1}


def _points(table: Spectrum, predicted: np.ndarray, label: str) -> DataSeries:
    """Points of a table on its own axis, with their pulls."""
    low, high = table.total_error()
    residual = table.value.value - predicted
    error = np.where(residual < 0, high.value, low.value)
    pulls = np.divide(residual, error, out=np.full_like(residual, np.nan), where=~table.upper_limit)
    return data_series(table, pulls, label)


def data_series(table: Spectrum, pull: np.ndarray, label: str) -> DataSeries:
    """Points of a table on its own axis as a figure shows them.

    Parameters
    ----------
    table : Spectrum
        The measurement.
    pull : numpy.ndarray, shape (n,)
        Its pulls.
    label : str
        Its name in the legend (`series_labels`).
    """
    low, high = table.total_error()
    return DataSeries(
        label,
        table.x.value,
        table.value.value,
        low.value,
        high.value,
        table.stat_low.value,
        table.stat_high.value,
        table.x_low.value,
        table.x_high.value,
        pull,
        table.upper_limit,
    )


def _on_axis(table: Spectrum, axis: str) -> np.ndarray:
    """Points of a table on another axis; a sum's as if it were hydrogen, a ratio's as if it were its numerator."""
    element = parts(table.species)[0]
    isotope = dominant_isotope(element if element in ELEMENTS else "H")
    return np.asarray(from_rigidity(axis, rigidity(table.axis, table.x.value, isotope), isotope))


def curve_span(posterior: Posterior, axis: str = "R") -> tuple[float, float]:
    """Range of the curves on an axis: somewhat more than all fitted points [GV or GeV]."""
    tables = fitted_tables(posterior)
    together = np.concatenate([_on_axis(table, axis) for table in tables])
    return 0.8 * float(together.min()), 1.6 * float(together.max())
