"""Making a table of spectra from stellar evolution; each is compared with the direct sum over all steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import simpson

from ..errors import ModelError
from ..shock.acceleration import HIGHEST_RIGIDITY, kinetic_energy, spectral_moments
from ..shock.injection import integrated_spectrum
from ..shock.sources import WindSteps
from .stellar_options import StellarOptions
from .stellar_steps import RIGIDITY_STEP, MergedSteps, merge_steps
from .stellar_table import StellarTable, log_power_integral

Floats = NDArray[np.float64]

LOG_SCALE_STEP, GAMMA_STEP = 0.075, 0.1
"""Largest distances of the nodes in ln s and gamma."""

RIGIDITIES_PER_DECADE = 20
HIGHEST_TABULATED = 4e8
_CUTOFFS_ABOVE = 20.0
"""Rigidities of a table: those of the default grid of a fit, which then needs no interpolation [GV]; more for a higher
R_max."""

NEGLIGIBLE_ELEMENT = 1e-7
"""Elements with a smaller number fraction are left out.

`project choice`: winds have no more of them than of the trace elements lithium, beryllium and boron, and the fluxes of
cosmic rays of such elements come from fragmentation of carbon and oxygen.
"""

VISIBLE = 1e-5
"""Tables are compared with the direct sum where the cutoff leaves more than this of the power law."""

LARGEST_ERROR = 1e-3
"""Largest relative error that a table may have."""

SWITCHED_ON_BELOW, SWITCHED_ON_TOLERANCE = 10.0, 10.0
"""Below this rigidity [GV] errors count this much less in boxes within which steps cross R_max = 1 GV.

Each of them begins to inject with a jump, at some GV only, which no smooth table can follow: O-type winds with
Kraichnan or Kolmogorov turbulence. `project choice`: fits begin at 20 GV, far above.
"""

_AIMED_ERROR = 4e-4
_FLOOR = 1e-9
"""Added to spectra, relative to their power law, before the logarithm; far below `VISIBLE`."""
_TRIALS = 40
_ENERGY_WEIGHT = 30.0
_REFERENCE_ETA_B, _REFERENCE_GAMMA = 0.01, -2.0


def build_table(steps: WindSteps, options: StellarOptions, seed: int = 1) -> StellarTable:
    """Tabulate the spectra that steps inject.

    Parameters
    ----------
    steps : WindSteps
        From `stellar_steps`, of ``options.cluster_mass`` of stars.
    options : StellarOptions
        Box, turbulence, coherence length.
    seed : int
        Of the random points at which the table is compared with the direct sum.

    Raises
    ------
    ModelError
        If nothing is injected, or the table cannot reach `LARGEST_ERROR`.
    """
    cutoff = _checked_cutoff(steps, options)
    lowest, highest = (end**0.5 for end in options.eta_B_range)
    injecting = cutoff * highest >= 1.0
    used, cutoff_used = steps.select(injecting), cutoff[injecting]
    energy_of_steps = steps.weight * steps.luminosity
    scales = _nodes(float(np.log(lowest)), float(np.log(highest)), LOG_SCALE_STEP)
    gammas = _nodes(*options.gamma_range, GAMMA_STEP)
    decades = np.log10(max(HIGHEST_TABULATED, _CUTOFFS_ABOVE * float(np.max(cutoff)) * highest))
    log_rigidity = np.linspace(0.0, decades * np.log(10.0), int(np.ceil(decades * RIGIDITIES_PER_DECADE)) + 1)
    kept, abundances, isotopes = _composition(steps, cutoff, options)
    merged = merge_steps(used, cutoff_used)
    values = _tabulated(merged, kept, scales, gammas, np.exp(log_rigidity)) - np.log(abundances)[:, None]
    log_top, log_mean = float(merged.log_cutoff.max()), merged.reference
    energy = _log_energy(values + np.log(abundances)[:, None], steps, kept, scales, gammas, log_rigidity, log_top)
    energy = energy - np.asarray(log_power_integral(gammas, log_mean + scales[:, None]))
    rows = values.reshape(scales.size * gammas.size, -1)
    # the energy is one number among thousands: weighted so that the reduction keeps it
    rows = np.concatenate([rows, _ENERGY_WEIGHT * energy.reshape(-1, 1)], axis=1)
    mean = rows.mean(axis=0)
    patterns, strengths, spectra = np.linalg.svd(rows - mean, full_matrices=False)
    trials = _trials(used, cutoff_used, options, kept, np.exp(log_rigidity), seed)
    switching = bool(np.any(cutoff_used * lowest < 1.0))

    def reduced(rank: int) -> StellarTable:
        return StellarTable(
            elements=kept,
            abundances=abundances,
            isotopes=isotopes,
            eta_B_range=options.eta_B_range,
            gamma_range=options.gamma_range,
            coefficients=(patterns[:, :rank] * strengths[:rank]).reshape(scales.size, gammas.size, -1),
            mean=mean[:-1].reshape(len(kept), -1),
            basis=spectra[:rank, :-1].reshape(-1, len(kept), log_rigidity.size),
            energy=np.append(mean[-1], spectra[:rank, -1]) / _ENERGY_WEIGHT,
            log_rigidity=log_rigidity,
            log_top=log_top,
            log_mean=log_mean,
            mechanical_energy=steps.energy / options.cluster_mass,
            lost=float(energy_of_steps[cutoff * lowest < 1.0].sum() / energy_of_steps.sum()),
            error=np.nan,
        )

    def error_of(table: StellarTable) -> float:
        return max(largest_error(table, *trial, switching=switching) for trial in trials)

    best = error_of(reduced(strengths.size))
    if best > LARGEST_ERROR:
        raise ModelError(
            f"the table of {options.kind!r} has an error of {best:.2g}, more than {LARGEST_ERROR:g}",
            remedy="narrow eta_B_range and gamma_range, and please report the options",
        )
    aim = max(_AIMED_ERROR, 0.75 * best + 0.25 * LARGEST_ERROR)
    for rank in range(12, strengths.size, 4):
        table = reduced(rank)
        error = error_of(table)
        if error <= aim:
            return replace(table, error=error)
    return replace(reduced(strengths.size), error=best)


def _checked_cutoff(steps: WindSteps, options: StellarOptions) -> Floats:
    """R_max of all steps at eta_B = 1 [GV]; refused where the box of eta_B leaves nothing to tabulate."""
    if not len(steps):
        raise ModelError(
            f"no star of {options.kind!r} blows a wind with M_up = {options.M_up:g} Msun and these options",
            remedy="raise M_up or the age limit, or leave the population out",
        )
    cutoff = steps.maximum_rigidity(1.0, options.turbulence, options.L_c)
    at_low, at_high = (float(np.max(cutoff)) * end**0.5 for end in options.eta_B_range)
    if at_high < 1.0:
        raise ModelError("no step has an R_max above 1 GV", remedy="raise eta_B_range, or choose another turbulence")
    if at_high > HIGHEST_RIGIDITY:
        raise ModelError(
            f"R_max reaches {at_high:.3g} GV, beyond {HIGHEST_RIGIDITY:g}",
            remedy="raise L_c, or lower the upper end of eta_B_range",
        )
    if at_low < 1.0:
        raise ModelError(
            f"no step has an R_max above 1 GV at eta_B = {options.eta_B_range[0]:g}: the highest is {at_low:.3g} GV",
            remedy=f"raise the lower end of eta_B_range above {float(np.max(cutoff)) ** -2.0:.2g}",
        )
    return cutoff


def _nodes(low: float, high: float, step: float) -> Floats:
    """Even nodes, four or more, at most `step` apart."""
    return np.linspace(low, high, max(4, int(np.ceil((high - low) / step)) + 1))


def direct_spectra(
    steps: WindSteps, cutoff: Floats, gamma: float, elements: tuple[str, ...], rigidity: Floats
) -> Floats:
    """Sum over all steps, without any table: spectra of elements, shape (n_elements, n_rigidity) [1/GV].

    Parameters
    ----------
    steps : WindSteps
        All steps.
    cutoff : ndarray, shape (n_steps,)
        Their R_max [GV].
    gamma : float
        Injection index.
    elements : tuple of str
        Which.
    rigidity : ndarray
        [GV], from 1 on.
    """
    wanted = [steps.nuclides.elements.index(element) for element in elements]
    total = np.zeros((len(elements), rigidity.size))
    for start in range(0, len(steps), 4096):
        some = np.zeros(len(steps), dtype=bool)
        some[start : start + 4096] = True
        coefficients = steps.nuclides.sum_isotopes(steps.select(some).coefficients(cutoff[some], gamma), axis=-2)
        total += np.asarray(integrated_spectrum(rigidity, coefficients[wanted], cutoff[some], gamma))
    return total


def largest_error(
    table: StellarTable, eta_B: float, gamma: float, direct: Floats, rigidity: Floats, switching: bool = False
) -> float:
    """Largest relative difference between table and direct sum, both normalised alike.

    Compared is where the cutoff leaves more than `VISIBLE` of the power law.

    Parameters
    ----------
    table : StellarTable
        The table.
    eta_B, gamma : float
        Where.
    direct : ndarray, shape (n_elements, n_rigidity)
        From `direct_spectra` of all kept steps with ``eta_acc = 0.1``, at the table's rigidities or some of them.
    rigidity : ndarray
        [GV].
    switching : bool
        Whether steps cross R_max = 1 GV inside the box: errors below `SWITCHED_ON_BELOW` count less then.
    """
    found = np.asarray(table.spectrum(rigidity, eta_B, gamma)) * table.abundances[:, None]
    power_law = direct[:, :1] * (rigidity / rigidity[0]) ** gamma
    visible = direct > VISIBLE * power_law
    # spectra of a table are free in a common factor, which the power fixes in a fit
    factor = np.sum(direct * rigidity**2) / np.sum(found * rigidity**2)
    error = np.abs(found * factor / np.where(visible, direct, 1.0) - 1.0)
    if switching:
        error = error / np.where(rigidity < SWITCHED_ON_BELOW, SWITCHED_ON_TOLERANCE, 1.0)
    return float(np.max(error[visible]))


def _composition(
    steps: WindSteps, cutoff: Floats, options: StellarOptions
) -> tuple[tuple[str, ...], Floats, dict[str, dict[int, float]]]:
    """Elements worth keeping by charge, their abundances, and isotopes, at the reference point."""
    eta_B = min(max(_REFERENCE_ETA_B, options.eta_B_range[0]), options.eta_B_range[1])
    gamma = min(max(_REFERENCE_GAMMA, options.gamma_range[0]), options.gamma_range[1])
    numbers = np.sum(steps.coefficients(cutoff * eta_B**0.5, gamma), axis=-1)
    numbers = numbers / np.sum(numbers)
    names = steps.nuclides.elements
    by_element = dict(zip(names, np.asarray(steps.nuclides.sum_isotopes(numbers)), strict=True))
    charge = {nuclide.symbol: nuclide.charge for nuclide in steps.nuclides.nuclides}
    kept = tuple(sorted((e for e in names if by_element[e] > NEGLIGIBLE_ELEMENT), key=charge.__getitem__))
    isotopes: dict[str, dict[int, float]] = {element: {} for element in kept}
    for nuclide, number in zip(steps.nuclides.nuclides, numbers, strict=True):
        if nuclide.symbol in isotopes:
            isotopes[nuclide.symbol][nuclide.mass_number] = float(number / by_element[nuclide.symbol])
    return kept, np.array([by_element[element] for element in kept]), isotopes


def _tabulated(
    merged: MergedSteps, elements: tuple[str, ...], scales: Floats, gammas: Floats, rigidity: Floats
) -> Floats:
    """Logarithm of spectra over R^gamma exp(-R/(s r_top)), shape (n_scale, n_gamma, n_elements, n_rigidity)."""
    nuclides = merged.nuclides
    wanted = [nuclides.elements.index(element) for element in elements]
    numbers = np.asarray(nuclides.sum_isotopes(merged.fractions))[:, wanted]
    nodes = RIGIDITY_STEP * np.arange(int(np.log(HIGHEST_RIGIDITY) / RIGIDITY_STEP))
    charge, mass = nuclides.charge, nuclides.mass
    moments = [np.asarray(spectral_moments(np.exp(nodes), gamma, charge, mass)[1]) for gamma in gammas]
    node = np.rint(merged.log_cutoff / RIGIDITY_STEP).astype(int)
    # steps come in order of R_max: those that share it are added up before they meet all rigidities
    first = np.unique(node, return_index=True)[1]
    softer = np.exp(-merged.log_cutoff[first]) - np.exp(-merged.log_cutoff.max())
    shape = (gammas.size, len(elements), rigidity.size)
    result = np.empty((scales.size, *shape))
    for i, scale in enumerate(scales):
        active = np.where(merged.log_cutoff + scale >= 0.0, merged.energy, 0.0)
        shift = int(np.floor(scale / RIGIDITY_STEP))
        part = scale / RIGIDITY_STEP - shift
        lower = np.clip(node + shift, 0, nodes.size - 2)
        mean = min(max(int(np.rint(merged.reference / RIGIDITY_STEP)) + shift, 0), nodes.size - 2)
        amplitudes = []
        for moment in moments:
            between = moment[:-1] * (1.0 - part) + moment[1:] * part
            # relative to the energy at the mean cutoff: only the shares of the steps matter
            energy = np.einsum("ki,ki->k", between[lower], merged.fractions) / between[mean, 0]
            amplitudes.append(np.add.reduceat((active / energy)[:, None] * numbers, first, axis=0))
        decay = np.exp(np.maximum(-rigidity[:, None] * (softer * np.exp(-scale)), -700.0))
        spectra = (decay @ np.concatenate(amplitudes, axis=1)).T.reshape(shape)
        result[i] = np.log(spectra + _FLOOR * spectra[..., :1])
    return result


def _log_energy(
    values: Floats,
    steps: WindSteps,
    elements: tuple[str, ...],
    scales: Floats,
    gammas: Floats,
    log_rigidity: Floats,
    log_top: float,
) -> Floats:
    """Logarithm of the kinetic energy that tabulated spectra release above 1 GV [GeV], shape (n_scale, n_gamma)."""
    charge, mass = _mean_nuclei(steps, elements)
    rigidity = np.exp(log_rigidity)
    kinetic = kinetic_energy(rigidity, charge[:, None], mass[:, None])
    result = np.empty((scales.size, gammas.size))
    for i, scale in enumerate(scales):
        cutoff = rigidity * np.exp(-scale - log_top)
        for j, gamma in enumerate(gammas):
            exponent = values[i, j] + (gamma + 1.0) * log_rigidity - cutoff
            result[i, j] = np.log(simpson(np.sum(np.exp(exponent) * kinetic, axis=0), x=log_rigidity))
    return result


def _mean_nuclei(steps: WindSteps, elements: tuple[str, ...]) -> tuple[Floats, Floats]:
    """Charge and mean rest energy [GeV] of each element's nuclei, by their number in the winds."""
    number = np.sum(steps.fractions * (steps.weight * steps.luminosity)[:, None], axis=0)
    member = np.asarray(steps.nuclides.sum_isotopes(np.eye(number.size)))
    wanted = [steps.nuclides.elements.index(element) for element in elements]
    total = (number @ member)[wanted]
    return (number * steps.nuclides.charge @ member)[wanted] / total, (number * steps.nuclides.mass @ member)[
        wanted
    ] / total


def _trials(
    steps: WindSteps,
    cutoff: Floats,
    options: StellarOptions,
    elements: tuple[str, ...],
    rigidity: Floats,
    seed: int,
) -> list[tuple[float, float, Floats, Floats]]:
    """Direct spectra at random points of the box."""
    random = np.random.default_rng(seed)
    low, high = np.log(options.eta_B_range)
    count = _TRIALS if len(steps) < 20_000 else _TRIALS // 4
    points = rigidity[::3]
    trials = []
    for _ in range(count):
        eta_B, gamma = float(np.exp(random.uniform(low, high))), float(random.uniform(*options.gamma_range))
        trials.append((eta_B, gamma, direct_spectra(steps, cutoff * eta_B**0.5, gamma, elements, points), points))
    return trials
