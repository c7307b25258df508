"""What a population of sources is: a name, a composition, parameters, and the spectrum that it injects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..backend import Array
from ..errors import ParameterError
from ..species import Nuclide, check_element, dominant_isotope, natural_isotopes, nuclide
from .composition import Composition
from .release import Release


@dataclass(frozen=True)
class ParameterInfo:
    """A parameter that a component of the model declares.

    Attributes
    ----------
    name : str
        Name within the component, such as ``R_max``. A configuration may also give ``log10_R_max``.
    default : float
        Value when a configuration says nothing.
    unit : str
        Unit, ``""`` for none.
    label : str
        LaTeX, without dollar signs.
    source : str
        Where the default comes from.
    limits : tuple of float, optional
        Where the parameter may lie, if its component is only known there.
    """

    name: str
    default: float
    unit: str
    label: str
    source: str
    limits: tuple[float, float] | None = None


IsotopeChoice = Literal["dominant", "given", "natural"]
InjectionShape = Callable[[Array, Mapping[str, Array]], Array]
InjectedSpectra = Callable[[tuple[np.ndarray, np.ndarray], Mapping[str, Array], Array], Array]


@dataclass(frozen=True)
class Population:
    """One population of sources, seen by the propagation.

    A population injects particles of element Z with the spectrum ``amplitude * abundance_Z * shape_Z(R)``. The
    amplitude follows from the population's power (or, for a single burst, its energy) above 1 GV.

    Attributes
    ----------
    name : str
        Name in configurations and outputs; the prefix of its parameters.
    label : str
        LaTeX label of the population.
    composition : Composition
        Number fractions of elements at equal rigidity, and their isotopes.
    parameters : tuple of ParameterInfo
        Everything that can be free: the amplitude first, the shape after it.
    shape : callable
        ``shape(rigidity, parameters)``: rigidity [GV] ``(n_rigidity,)``, parameters ``(...)``; returns
        ``(..., n_rigidity)`` (all elements alike) or ``(..., n_elements, n_rigidity)``.
    place : {"disc", "nearby"}
        Spread over the Galactic disc with a power [erg/yr], or one burst near the Sun with an energy [erg].
    isotopes : {"dominant", "given", "natural"}
        One isotope per element; the composition's own isotopes; or terrestrial number fractions.
    shape_per_element : bool
        Whether ``shape`` has an element axis.
    budget : float or None
        Mechanical power [erg/yr] (or energy [erg]) that the amplitude is compared with. A population of the disc with a
        parameter ``eta_acc`` instead of ``power`` injects that part of it.
    free_abundances : bool
        Whether ``abundance.<element>`` multipliers are parameters.
    injected : callable, optional
        A shorter way to the same spectra, used inside fits: ``injected((elements, rigidity), parameters, log_energy)``
        with positions in ``elements`` and rigidities [GV], both ``(n_pairs,)``, and ln of the energy or power above
        1 GV [GeV or GeV/s], ``(...)``, returns the injected spectra ``(..., n_pairs)``, abundances included.
    release : Release, optional
        Of a nearby population: how its particles are released and what they meet; a burst in infinite space without
        gas if not given.
    profile : str or callable, optional
        Radial distribution of a disc's sources, a name or a profile of `stellarcr.galaxy.profiles`; the Galaxy's own
        if not given.
    """

    name: str
    label: str
    composition: Composition
    parameters: tuple[ParameterInfo, ...]
    shape: InjectionShape
    place: Literal["disc", "nearby"] = "disc"
    isotopes: IsotopeChoice = "dominant"
    shape_per_element: bool = False
    budget: float | None = None
    budget_source: str = ""
    free_abundances: bool = False
    metadata: Mapping[str, str] = field(default_factory=dict)
    injected: InjectedSpectra | None = None
    release: Release | None = None
    profile: Callable[[np.ndarray], np.ndarray] | str | None = None

    def __post_init__(self) -> None:
        if self.isotopes not in ("dominant", "given", "natural"):
            raise ParameterError(
                f"population {self.name!r}: isotopes = {self.isotopes!r} is not a choice",
                remedy="use 'dominant', 'given' or 'natural'",
            )
        for element in self.composition.elements:
            check_element(element)
        if self.release is not None:
            self._check_release(self.release)

    def _check_release(self, release: Release) -> None:
        if self.place != "nearby":
            raise ParameterError(
                f"population {self.name!r} of the disc has a release",
                remedy='leave release out, or use place="nearby"',
            )
        missing = set(release.parameters) - {info.name for info in self.parameters}
        if missing:
            raise ParameterError(
                f"population {self.name!r}: its release needs the parameters {', '.join(sorted(missing))}",
                remedy="add a ParameterInfo for each",
            )

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements that it injects, in the composition's order."""
        return tuple(self.composition.elements)

    @cached_property
    def number_fractions(self) -> np.ndarray:
        """Number fractions of ``elements`` at equal rigidity, multipliers not applied."""
        return np.array(list(self.composition.elements.values()))

    @cached_property
    def multiplier_names(self) -> tuple[str, ...]:
        """Local names of the abundance multipliers, in the order of ``elements``."""
        return tuple(f"abundance.{element}" for element in self.elements)

    @property
    def amplitude_name(self) -> str:
        """Name of its normalisation: ``power`` or ``eta_acc`` (disc), or ``energy`` (burst)."""
        if self.place == "nearby":
            return "energy"
        return "eta_acc" if any(info.name == "eta_acc" for info in self.parameters) else "power"

    @property
    def amplitude_unit(self) -> float:
        """What one unit of the normalisation is, in erg/yr (or erg): 1, or the budget of an efficiency."""
        return float(self.budget or 1.0) if self.amplitude_name == "eta_acc" else 1.0

    def isotopes_of(self, element: str) -> tuple[tuple[Nuclide, float], ...]:
        """Nuclides of an element and their number fractions at equal rigidity.

        Parameters
        ----------
        element : str
            One of ``elements``.
        """
        if self.isotopes == "natural":
            fractions: Mapping[int, float] = natural_isotopes(element)
        elif self.isotopes == "given" and element in self.composition.isotopes:
            fractions = self.composition.isotopes[element]
        else:
            return ((dominant_isotope(element), 1.0),)
        return tuple((nuclide(element, a), fraction) for a, fraction in fractions.items() if fraction > 0)

    def with_name(self, name: str) -> Population:
        """Return the same population under another name."""
        return replace(self, name=name)


def abundance_parameters(elements: tuple[str, ...]) -> tuple[ParameterInfo, ...]:
    """Multipliers of the number fractions of all elements but hydrogen.

    Parameters
    ----------
    elements : tuple of str
        Elements of the population's composition.
    """
    return tuple(
        ParameterInfo(
            f"abundance.{element}", 1.0, "", rf"f_{{\rm {element}}}", "multiplier of the composition; 1 by definition"
        )
        for element in elements
        if element != "H"
    )
