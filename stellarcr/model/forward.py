"""The forward model: parameters to spectra at Earth, by population and nuclide.

`ForwardModel` evaluates everything exactly, at any rigidity. What runs inside a fit is the same physics tabulated on a
grid (`stellarcr.likelihood.prediction`); tests compare the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import Array, namespace
from ..constants import GEV_PER_ERG, YEAR
from ..errors import ModelError, ParameterError, nearest
from ..galaxy import Galaxy
from ..observe.axes import AXES, check_axis, detector_kernel
from ..observe.composition import mean_log_mass
from ..observe.grid import RigidityGrid
from ..populations.base import ParameterInfo, Population
from ..populations.release import SOURCE_PARAMETERS
from ..species import Nuclide, members
from .names import check_break, check_diffusion, check_limits, check_names, check_value, split_name
from .network_flux import check_network, made_on_the_way, network_flux
from .sources import energy_weights, injected_amplitude, varied_abundances

if TYPE_CHECKING:
    from astropy.units import Quantity

_RESERVED = {"total", "galaxy", "disc"}
"""Names that outputs, propagation parameters and the place of most sources have."""

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class ForwardModel:
    """Galaxy and source populations, joined.

    Attributes
    ----------
    galaxy : Galaxy
        Geometry, gas, diffusion.
    populations : tuple of Population
        What injects. Names must differ.
    grid : RigidityGrid
        Grid on which powers are integrated and fits are tabulated.
    """

    galaxy: Galaxy
    populations: tuple[Population, ...]
    grid: RigidityGrid = field(default_factory=RigidityGrid)

    def __post_init__(self) -> None:
        object.__setattr__(self, "populations", tuple(self.populations))
        names = [p.name for p in self.populations]
        if not names:
            raise ModelError("the model has no source population", remedy="add at least one, for instance 'snr'")
        if len(set(names)) < len(names):
            raise ModelError(f"two populations share a name: {names}", remedy="give each its own name")
        for name in names:
            if name in _RESERVED or not name.isidentifier():
                raise ModelError(
                    f"a population cannot be named {name!r}",
                    remedy=f"use letters, digits and underscores, and none of {', '.join(sorted(_RESERVED))}",
                )
        check_network(self.galaxy, self.populations)
        if self.grid.lowest != 1.0:
            raise ModelError(
                f"the rigidity grid starts at {self.grid.lowest:g} GV, but powers are defined above 1 GV",
                remedy="leave grid.lowest at 1",
            )
        try:
            check_break("galaxy.R_h", self.galaxy.R_h, self.galaxy.R_h, self.grid)
        except ParameterError as error:
            raise ModelError(error.problem, remedy=error.remedy) from None

    # ------------------------------------------------------------------ parameters

    @property
    def parameters(self) -> dict[str, ParameterInfo]:
        """Every parameter by full name, such as ``snr.gamma2`` or ``galaxy.D0``."""
        known = {f"{p.name}.{info.name}": info for p in self.populations for info in p.parameters}
        known.update({f"galaxy.{info.name}": info for info in self.galaxy.parameters})
        return known

    def check_names(self, names: Iterable[str], where: str = "") -> None:
        """Refuse parameter names that the model does not have.

        A parameter ``snr.R_max`` may also be given as ``snr.log10_R_max``, but not as both.

        Raises
        ------
        ParameterError
            With the nearest valid names.
        """
        check_names(names, self.parameters, where)

    def check_value(self, name: str, value: float, limit: bool = False) -> None:
        """Refuse a value that a parameter cannot have: NaN, and negative powers, rigidities, times and multipliers.

        Parameters
        ----------
        name : str
            Full name, plain or with ``log10_``.
        value : float
            Its value.
        limit : bool
            Whether it is the lower limit of a prior, which zero may be.

        Raises
        ------
        ParameterError
            With name, value and what to do.
        """
        check_value(name, value, self.parameters, limit)
        if not limit:
            check_break(name, value, value, self.grid)
            check_diffusion(name, value, value)

    def check_limits(self, name: str, low: float, high: float) -> None:
        """Refuse a prior that reaches beyond where a component knows its parameter; see `ParameterInfo.limits`.

        The break of the diffusion coefficient must lie in the rigidity grid.

        Parameters
        ----------
        name : str
            Full name, plain or with ``log10_``.
        low, high : float
            Ends of the prior.

        Raises
        ------
        ParameterError
            With name, ends, limits and what to do.
        """
        check_limits(name, low, high, self.parameters)
        check_break(name, low, high, self.grid)
        check_diffusion(name, low, high)

    @cached_property
    def _defaults(self) -> dict[str, dict[str, Array]]:
        defaults: dict[str, dict[str, Array]] = {
            p.name: {info.name: info.default for info in p.parameters} for p in self.populations
        }
        return {**defaults, "galaxy": {}}

    def local_values(self, parameters: Mapping[str, Array]) -> dict[str, dict[str, Array]]:
        """Sort full names into one mapping per component; defaults fill what is not given.

        Parameters
        ----------
        parameters : mapping
            Values by full name, plain or with ``log10_``; numbers or arrays of one shape ``(...)``.

        Returns
        -------
        dict
            Component name to ``{local name: value}``.
        """
        components: dict[str, dict[str, Array]] = {name: dict(values) for name, values in self._defaults.items()}
        for name, value in parameters.items():
            component, local, logarithmic = split_name(name)
            if component in components:
                components[component][local] = namespace(value).exp(_LN10 * value) if logarithmic else value
        return components

    # ------------------------------------------------------------------ sources

    def abundances(self, population: Population, values: Mapping[str, Array]) -> Array:
        """Number fractions of the elements, multipliers included: ``(n_elements,)`` or ``(..., n_elements)``."""
        return varied_abundances(population, values)

    def energy_weights(self, population: Population) -> np.ndarray:
        """Matrix that integrates kinetic energy: grid spectrum to energy per element [GeV], ``(size, n_elements)``.

        The integral runs from 1 GV over all isotopes of an element.
        """
        return energy_weights(population, self.grid)

    def amplitude(self, population: Population, values: Mapping[str, Array]) -> Array:
        """Factor that turns ``abundance * shape`` into injected particles.

        Power normalisation: P = integral from 1 GV of dR sum_Z q_Z(R) Ek(R), cutoff included, over all injected
        nuclides and the whole disc; likewise the energy of a burst.

        Parameters
        ----------
        population : Population
            Member of the model.
        values : mapping
            Its local parameters, numbers or shape ``(...)``.

        Returns
        -------
        array
            Disc: 1/(GV s), burst: 1/GV; shape ``(...)``.
        """
        shape = population.shape(self.grid.rigidity, values)
        weights = self.energy_weights(population)
        return injected_amplitude(population, values, shape, self.abundances(population, values), weights)

    def injected_power(self, population: str, parameters: Mapping[str, Array]) -> Array:
        """Power [erg/yr], or energy [erg] of a burst, integrated back from the injected spectra.

        A check of the normalisation by adaptive panels of its own, independent of the grid.

        Parameters
        ----------
        population : str
            Name of the population.
        parameters : mapping
            Numbers by full name.
        """
        member = self.population(population)
        nodes, weights = np.polynomial.legendre.leggauss(20)
        edges = np.linspace(0.0, np.log(self.grid.highest), 400)
        half = 0.5 * (edges[1] - edges[0])
        rigidity = np.exp((edges[:-1, None] + half * (nodes + 1.0)).ravel())
        measure = np.tile(half * weights, len(edges) - 1) * rigidity
        total = 0.0
        for element, spectrum in self.injection(population, parameters, rigidity).items():
            for nuclide, fraction in member.isotopes_of(element):
                energy = np.sqrt((nuclide.charge * rigidity) ** 2 + nuclide.mass**2) - nuclide.mass
                total = total + np.sum(measure * spectrum * fraction * energy, axis=-1)
        return total / GEV_PER_ERG * (YEAR if member.place == "disc" else 1.0)

    def population(self, name: str) -> Population:
        """Look up a population by name.

        Raises
        ------
        ParameterError
            If the model has none of that name.
        """
        for member in self.populations:
            if member.name == name:
                return member
        raise ParameterError(
            f"the model has no population {name!r}", remedy=nearest(name, [p.name for p in self.populations])
        )

    def injection(self, population: str, parameters: Mapping[str, Array], rigidity: Array) -> dict[str, Array]:
        """Injected spectrum of every element.

        Parameters
        ----------
        population : str
            Name of the population.
        parameters : mapping
            Values by full name, numbers or shape ``(...)``.
        rigidity : array
            Rigidity [GV], ``(n_rigidity,)``.

        Returns
        -------
        dict
            Element to spectrum ``(..., n_rigidity)``: 1/(GV s) for the whole disc, 1/GV for a burst.
        """
        member = self.population(population)
        values = self.local_values(parameters)[population]
        amplitude = np.asarray(self.amplitude(member, values))[..., None]
        abundance = self.abundances(member, values)
        shape = member.shape(rigidity, values)
        spectra = {}
        for k, element in enumerate(member.elements):
            per_element = shape[..., k, :] if member.shape_per_element else shape
            spectra[element] = amplitude * abundance[..., k, None] * per_element
        return spectra

    # ------------------------------------------------------------------ at Earth

    def flux_by_nuclide(
        self,
        parameters: Mapping[str, Array],
        element: str,
        x: Array,
        axis: str = "R",
        phi: float = 0.0,
    ) -> dict[str, dict[Nuclide, Array]]:
        """Flux of an element's nuclides from each population, in bare numbers.

        Parameters
        ----------
        parameters : mapping
            Values by full name, numbers or one-dimensional arrays ``(n,)``.
        element : str
            Element symbol.
        x : array
            Points on the axis [GV or GeV], ``(n_x,)``.
        axis : {"R", "EK", "EKN", "ETOT"}
            Axis code.
        phi : float
            Modulation potential [GV].

        Returns
        -------
        dict
            Population name to ``{nuclide: flux}``; flux in 1/(m^2 s sr) per GV or GeV of the axis, ``(..., n_x)``.
        """
        components = self.local_values(parameters)
        propagation = {k: _last_axis(v) for k, v in components["galaxy"].items()}
        fluxes: dict[str, dict[Nuclide, Array]] = {member.name: {} for member in self.populations}
        if self.galaxy.network is not None:
            disc = [(p, components[p.name], self.energy_weights(p)) for p in self.populations if p.place == "disc"]
            grid = self.grid.rigidity
            fluxes.update(network_flux(self.galaxy, disc, grid, components["galaxy"], element, x, axis, phi))
        for member in self.populations:
            if element not in member.elements or (self.galaxy.network is not None and member.place == "disc"):
                continue
            values = components[member.name]
            amplitude = np.asarray(self.amplitude(member, values))[..., None]
            index = member.elements.index(element)
            abundance = self.abundances(member, values)[..., index, None]
            source = {str(k): _last_axis(values[k]) for k in SOURCE_PARAMETERS if k in values}
            for nuclide, fraction in member.isotopes_of(element):
                seen, weight = detector_kernel(axis, x, nuclide, phi)
                shape = member.shape(seen, values)
                shape = shape[..., index, :] if member.shape_per_element else shape
                density = shape * self.galaxy.transfer(member, nuclide, seen, propagation, source)
                fluxes[member.name][nuclide] = amplitude * abundance * fraction * weight * density
        return fluxes

    def flux(
        self,
        parameters: Mapping[str, Array],
        species: str,
        x: Array,
        axis: str = "R",
        phi: float = 0.0,
    ) -> dict[str, Array]:
        """Flux of an element or group by population, in bare numbers; ``"total"`` is their sum.

        Parameters are those of `flux_by_nuclide`, with ``species`` an element, ``"p+He"`` or ``"all"``.
        """
        check_axis(axis)
        zero = np.zeros_like(np.asarray(x, dtype=float))
        result: dict[str, Array] = {member.name: zero for member in self.populations}
        for element in members(species):
            for name, nuclides in self.flux_by_nuclide(parameters, element, x, axis, phi).items():
                result[name] = sum(nuclides.values(), result[name])
        return {"total": sum(result.values(), zero), **result}

    def log_mass(self, parameters: Mapping[str, Array], energy: Array, phi: float = 0.0) -> Array:
        """Mean logarithmic mass <ln A> at total energies per nucleus [GeV]."""
        nuclides: list[tuple[Nuclide, Array]] = []
        for element in self.elements:
            for fluxes in self.flux_by_nuclide(parameters, element, energy, "ETOT", phi).values():
                nuclides.extend(fluxes.items())
        return mean_log_mass(nuclides)

    @property
    def elements(self) -> tuple[str, ...]:
        """All elements that some population injects or, with a network, that are made on the way; by charge."""
        injected = {e for p in self.populations for e in p.elements} | {n.symbol for n in self.made}
        return tuple(e for e in members("all") if e in injected)

    @cached_property
    def made(self) -> tuple[Nuclide, ...]:
        """Nuclides that the network makes from what the disc injects; none without a network."""
        return made_on_the_way(self.galaxy, self.populations)

    def spectra(
        self,
        species: str | Sequence[str],
        x: Quantity,
        axis: str = "R",
        parameters: Mapping[str, Any] | None = None,
        phi: Quantity | float = 0.0,
    ) -> dict[str, dict[str, Quantity]]:
        """Spectra at Earth with units.

        Parameters
        ----------
        species : str or sequence of str
            Elements or groups.
        x : astropy.units.Quantity
            Rigidity in a unit of voltage, or energy.
        axis : {"R", "EK", "EKN", "ETOT"}
            What ``x`` is.
        parameters : mapping, optional
            Values by full name; defaults are the paper's.
        phi : Quantity or float
            Modulation potential; a bare number is in GV.

        Returns
        -------
        dict
            Species to population (and ``"total"``) to flux.

        Raises
        ------
        ParameterError
            For an unknown axis, species or parameter, and a unit that does not fit.

        Examples
        --------
        >>> model.spectra("H", [10, 100] * u.TV)["H"]["total"]  # doctest: +SKIP
        """
        from astropy import units as u

        check_axis(axis)
        parameters = parameters or {}
        self.check_names(parameters)
        unit = u.Unit(AXES[axis])
        points = _in_unit(x, unit, f"x, on the axis {axis!r},")
        potential = float(phi) if np.isscalar(phi) else _in_unit(phi, u.GV, "phi")  # type: ignore[arg-type]
        flux_unit = 1 / (u.m**2 * u.s * u.sr * unit)
        names = [species] if isinstance(species, str) else list(species)
        return {
            name: {
                key: value * flux_unit for key, value in self.flux(parameters, name, points, axis, potential).items()
            }
            for name in names
        }


def _in_unit(quantity: Any, unit: Any, what: str) -> Any:
    """Numbers of a quantity in a unit; refuse other kinds of units."""
    from astropy import units as u

    try:
        return u.Quantity(quantity).to_value(unit)
    except (u.UnitConversionError, TypeError) as error:
        given = getattr(quantity, "unit", None)
        raise ParameterError(
            f"{what} has {f'the unit {given}' if given else 'no unit'}, which is not one of {unit.physical_type}",
            remedy=f"multiply the numbers by a unit such as astropy.units.{unit}",
        ) from error


def _last_axis(value: Array) -> Array:
    return value[..., None] if getattr(value, "ndim", 0) else value
