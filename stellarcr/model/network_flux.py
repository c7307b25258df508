"""What arrives at the Sun through the nuclear network, evaluated exactly at any energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..backend import Array
from ..errors import ModelError
from ..galaxy import Galaxy
from ..galaxy.network import NetworkTables
from ..galaxy.profiles import RadialProfile
from ..observe.axes import detector_kernel
from ..populations.base import Population
from ..species import Nuclide
from .sources import injected_amplitude, varied_abundances

_CHUNK = 3_000_000
"""Unknowns that are solved for at once."""


def check_network(galaxy: Galaxy, populations: Sequence[Population]) -> None:
    """Refuse nuclides of the disc that the network does not hold: they would be lost.

    Raises
    ------
    ModelError
        With population, nuclides and network.
    """
    network = galaxy.network
    if network is None:
        return
    for member in populations:
        for element in member.elements if member.place == "disc" else ():
            missing = [n.name for n, _ in member.isotopes_of(element) if n.name not in network.positions]
            if missing:
                raise ModelError(
                    f"population {member.name!r} injects {', '.join(missing)}, which the network "
                    f"{network.name!r} does not hold",
                    remedy="use isotopes = 'dominant' for it, or galaxy.production = 'none'",
                )


def made_on_the_way(galaxy: Galaxy, populations: Sequence[Population]) -> tuple[Nuclide, ...]:
    """Nuclides that the network makes from what the disc injects; none without a network."""
    network = galaxy.network
    if network is None:
        return ()
    disc = [p for p in populations if p.place == "disc"]
    injected = {n for p in disc for e in p.elements for n, _ in p.isotopes_of(e)}
    present = np.array([n in injected for n in network.nuclides])
    fragment = np.zeros(len(present), dtype=bool)
    decays = [(k, int(d)) for k, d in enumerate(network.daughter) if d >= 0]
    for parent, child in sorted([*zip(network.parent, network.fragment, strict=True), *decays]):
        fragment[child] |= present[parent]
        present[child] |= present[parent]
    return tuple(n for n, yes in zip(network.nuclides, fragment, strict=True) if yes)


def network_members(galaxy: Galaxy, element: str) -> tuple[Nuclide, ...]:
    """Nuclides of an element that the Galaxy's network holds; none without a network."""
    return () if galaxy.network is None else tuple(n for n in galaxy.network.nuclides if n.symbol == element)


def injected_by_nuclide(
    population: Population,
    values: Mapping[str, Array],
    energy_weights: np.ndarray,
    grid: np.ndarray,
    tables: NetworkTables,
) -> Array:
    """Spectra that a population injects, at the rigidities of a network.

    Parameters
    ----------
    population : Population
        One of the disc.
    values : mapping
        Its local parameters, numbers or ``(n,)``.
    energy_weights : numpy.ndarray
        From `ForwardModel.energy_weights`.
    grid : numpy.ndarray
        Rigidities [GV] that belong to them.
    tables : NetworkTables
        Where the spectra are wanted.

    Returns
    -------
    array
        ``(n_nuclides, n_energy, n)`` [1/(GV s)], with n = 1 where all values are numbers.
    """
    abundance = varied_abundances(population, values)
    amplitude = injected_amplitude(population, values, population.shape(grid, values), abundance, energy_weights)
    rows: list[Array] = [np.zeros((len(tables.energy), 1))] * len(tables.nuclides)
    for k, element in enumerate(population.elements):
        here = [(tables.position(n), fraction) for n, fraction in population.isotopes_of(element)]
        here = [(position, fraction) for position, fraction in here if position >= 0]
        if not here:
            continue
        rigidity = tables.rigidity[[position for position, _ in here]]
        shape = population.shape(rigidity.ravel(), values)
        shape = shape[..., k, :] if population.shape_per_element else shape
        spectra = np.atleast_2d(np.asarray(amplitude * abundance[..., k])[..., None] * shape)
        spectra = np.moveaxis(np.reshape(spectra, (-1, *rigidity.shape)), 0, -1)
        for row, (position, fraction) in enumerate(here):
            rows[position] = fraction * spectra[row]
    n = max(row.shape[-1] for row in rows)
    return np.stack([np.broadcast_to(row, (len(tables.energy), n)) for row in rows])


def network_flux(
    galaxy: Galaxy,
    populations: Sequence[tuple[Population, Mapping[str, Array], np.ndarray]],
    grid: np.ndarray,
    propagation: Mapping[str, Array],
    element: str,
    x: np.ndarray,
    axis: str,
    phi: float,
) -> dict[str, dict[Nuclide, Array]]:
    """Flux of an element's nuclides from each population of the disc, fragments of heavier nuclei included.

    Parameters
    ----------
    galaxy : Galaxy
        With a network.
    populations : sequence of (Population, mapping, numpy.ndarray)
        Each with its local parameters and energy weights.
    grid : numpy.ndarray
        Rigidities [GV] of the energy weights.
    propagation : mapping
        Propagation parameters, numbers or ``(n,)``.
    element, x, axis, phi
        As for `ForwardModel.flux_by_nuclide`.

    Returns
    -------
    dict
        Population name to ``{nuclide: flux}``, flux ``(..., n_x)`` in 1/(m^2 s sr) per unit of the axis.
    """
    assert galaxy.network is not None
    members = network_members(galaxy, element)
    batched = any(getattr(v, "ndim", 0) for _, values, _ in populations for v in values.values())
    batched = batched or any(getattr(v, "ndim", 0) for v in propagation.values())
    n = _batch(populations, propagation)
    fluxes: dict[str, dict[Nuclide, Array]] = {member.name: {} for member, _, _ in populations}
    fixed = not any(getattr(v, "ndim", 0) for v in propagation.values())
    for nuclide in members:
        seen, weight = detector_kernel(axis, x, nuclide, phi)
        kinetic = np.sqrt((nuclide.charge * seen) ** 2 + nuclide.mass**2) - nuclide.mass
        energy = np.maximum(kinetic / nuclide.mass_number, 1e-6)
        last = galaxy.network.nuclides.index(nuclide)
        parts: dict[str, list[Array]] = {name: [] for name in fluxes}
        for some in _chunks(energy, (last + 1) * n):
            tables = NetworkTables.build(galaxy.network, energy[some], last)
            transfers: dict[RadialProfile, Array] = {}
            for member, values, weights in populations:
                injected = injected_by_nuclide(member, values, weights, grid, tables)
                profile = galaxy.profile_of(member)
                if fixed and injected.shape[-1] > 1:
                    # many spectra, one Galaxy: what each injected nuclide becomes is found once
                    if profile not in transfers:
                        transfers[profile] = _transfer(galaxy, tables, profile, propagation)
                    density = np.sum(transfers[profile][..., None] * injected, axis=0)
                else:
                    injected = np.broadcast_to(injected, (*injected.shape[:2], n))
                    density = galaxy.arrivals(tables, {profile: injected}, propagation, rows=(last,))[0]
                parts[member.name].append(density)
        for name, pieces in parts.items():
            flux = np.moveaxis(np.concatenate(pieces, axis=0), 0, -1) * weight
            fluxes[name][nuclide] = flux if batched else flux[0]
    return fluxes


def _transfer(
    galaxy: Galaxy, tables: NetworkTables, profile: RadialProfile, propagation: Mapping[str, Array]
) -> np.ndarray:
    """Density of the last nuclide per injected particle of each, ``(n_nuclides, n_energy)``."""
    n = len(tables.nuclides)
    unit = np.zeros((n, len(tables.energy), n))
    unit[np.arange(n), :, np.arange(n)] = 1.0
    return galaxy.arrivals(tables, {profile: unit}, propagation, rows=(n - 1,))[0].T


def _batch(populations: Sequence[Any], propagation: Mapping[str, Array]) -> int:
    """Number of parameter vectors."""
    sizes = [np.size(v) for _, values, _ in populations for v in values.values()]
    return max([1, *sizes, *(np.size(v) for v in propagation.values())])


def _chunks(energy: np.ndarray, unknowns: int) -> list[slice]:
    """Cut energies so that no array becomes large."""
    length = max(1, _CHUNK // (unknowns * 3))
    return [slice(start, start + length) for start in range(0, len(energy), length)]
