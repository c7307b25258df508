"""The five populations of the reference model with effective spectra.

Defaults are the values of Qiu, Lin & Yang (arXiv:2605.31362), called the paper, unless another source is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..backend import Array
from ..errors import ConfigError, nearest
from .base import IsotopeChoice, ParameterInfo, Population, abundance_parameters
from .composition import Composition
from .nearby import NEARBY_KINDS
from .spectra import broken_power_law, power_law

PAPER = "arXiv:2605.31362"
_TENTH = "project choice: a tenth of the mechanical power, the usual acceleration efficiency"
_GUESS = "project choice: near the fitted value; the paper gives no power"


def _snr_shape(rigidity: Array, parameters: Mapping[str, Array]) -> Array:
    return broken_power_law(
        rigidity, parameters["gamma1"], parameters["gamma2"], parameters["R_br"], parameters["R_max"]
    )


def _cutoff_shape(rigidity: Array, parameters: Mapping[str, Array]) -> Array:
    return power_law(rigidity, parameters["gamma"], parameters["R_max"])


def _power(tag: str, default: float, source: str) -> ParameterInfo:
    return ParameterInfo("power", default, "erg/yr", rf"P_{{\rm {tag}}}", source)


def supernova_remnants(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """Supernova remnants: a broken power law in rigidity with an exponential cutoff.

    Parameters
    ----------
    composition : Composition
        Number fractions at equal rigidity; its multipliers ``abundance.<element>`` are parameters.
    isotopes : {"dominant", "given", "natural"}
        Isotopes of each element.
    """
    return Population(
        name="snr",
        label=r"{\rm SNR}",
        composition=composition,
        parameters=(
            _power("SNR", 1e48, _TENTH),
            ParameterInfo("gamma1", -2.2, "", r"\gamma_1^{\rm SNR}", PAPER),
            ParameterInfo("gamma2", -2.45, "", r"\gamma_2^{\rm SNR}", PAPER),
            ParameterInfo("R_br", 10.0, "GV", r"R_{\rm br}^{\rm SNR}", PAPER),
            ParameterInfo("R_max", 5e4, "GV", r"R_{\rm max}^{\rm SNR}", PAPER),
            *abundance_parameters(tuple(composition.elements)),
        ),
        shape=_snr_shape,
        isotopes=isotopes,
        budget=1e49,
        budget_source=f"{PAPER}: 1e51 erg a century",
        free_abundances=True,
    )


def _wind(
    name: str,
    tag: str,
    composition: Composition,
    isotopes: IsotopeChoice,
    power: ParameterInfo,
    index: float,
    maximum_rigidity: float,
    budget: float | None = None,
    budget_source: str = "",
) -> Population:
    return Population(
        name=name,
        label=rf"{{\rm {tag}}}",
        composition=composition,
        parameters=(
            power,
            ParameterInfo("gamma", index, "", rf"\gamma^{{\rm {tag}}}", PAPER),
            ParameterInfo("R_max", maximum_rigidity, "GV", rf"R_{{\rm max}}^{{\rm {tag}}}", PAPER),
        ),
        shape=_cutoff_shape,
        isotopes=isotopes,
        budget=budget,
        budget_source=budget_source,
    )


def o_type_winds(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """Winds of individual O-type stars: a power law with an exponential cutoff."""
    return _wind("o_wind", "O", composition, isotopes, _power("O", 1e46, _GUESS), -1.95, 6e4)


def wolf_rayet_winds(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """Winds of individual Wolf-Rayet stars: a power law with an exponential cutoff."""
    return _wind("wr_wind", "WR", composition, isotopes, _power("WR", 1e46, _GUESS), -1.95, 1.5e5)


def massive_star_clusters(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """Winds of massive star clusters as a whole: a power law with an exponential cutoff."""
    return _wind(
        "msc",
        "MSC",
        composition,
        isotopes,
        _power("MSC", 4e46, _GUESS),
        -2.1,
        5e6,
        budget=4e48,
        budget_source=f"{PAPER} eq. 14 as printed, which needs M_min = 1e3 Msun; with the stated 1e2 it gives 2.6e48",
    )


def type_ia_remnant(composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """One nearby Type Ia supernova remnant that released its particles in a burst."""
    return Population(
        name="ia",
        label=r"{\rm Ia}",
        composition=composition,
        parameters=(
            ParameterInfo("energy", 5.5e50, "erg", r"E_{\rm Ia}", PAPER),
            ParameterInfo("gamma", -2.0, "", r"\gamma^{\rm Ia}", PAPER),
            ParameterInfo(
                "R_max", 5e4, "GV", r"R_{\rm max}^{\rm Ia}", "project choice: the SNR cutoff; the paper gives none"
            ),
            ParameterInfo("age", 5e4, "yr", r"t_{\rm Ia}", PAPER),
            ParameterInfo("distance", 1.0, "kpc", r"d_{\rm Ia}", PAPER),
        ),
        shape=_cutoff_shape,
        place="nearby",
        isotopes=isotopes,
    )


POPULATION_KINDS: Mapping[str, Callable[[Composition, IsotopeChoice], Population]] = {
    "snr": supernova_remnants,
    "o_wind": o_type_winds,
    "wr_wind": wolf_rayet_winds,
    "msc": massive_star_clusters,
    "ia": type_ia_remnant,
}
"""Builders of the populations that the package knows, by the ``kind`` of a configuration."""


def build_population(kind: str, composition: Composition, isotopes: IsotopeChoice = "dominant") -> Population:
    """Build one of the known populations.

    Parameters
    ----------
    kind : str
        A key of ``POPULATION_KINDS``, or ``"nearby"``.
    composition : Composition
        Number fractions at equal rigidity.
    isotopes : {"dominant", "given", "natural"}
        Isotopes of each element.

    Raises
    ------
    ConfigError
        If the kind is unknown.
    """
    kinds = {**POPULATION_KINDS, **NEARBY_KINDS}
    if kind not in kinds:
        raise ConfigError(f"unknown population kind {kind!r}", remedy=nearest(kind, kinds))
    return kinds[kind](composition, isotopes)
