"""Populations whose spectra come from stellar evolution: individual winds and the collective winds of clusters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..backend import Array
from ..shock.galactic_power import galactic_cluster_power
from .base import IsotopeChoice, ParameterInfo, Population
from .composition import Composition
from .stellar_options import StellarOptions
from .stellar_table import Pairs, StellarTable

PAPER = "arXiv:2605.31362"

CLUSTER_MASSES = (1e2, 1e5)
"""Lowest and highest mass of star clusters [Msun], with a mass function M^-2 (arXiv:2605.31362, eq. 14)."""

COLLECTIVE_FROM = 1e4
"""Mass from which a cluster's winds are collective [Msun]; stars of lighter clusters blow alone (arXiv:2605.31362)."""

_LABELS = {"o_wind": "O", "wr_wind": "WR", "msc": "MSC"}


@dataclass(frozen=True)
class StellarShape:
    """Spectra of a tabulated population; see `StellarTable`.

    Attributes
    ----------
    table : StellarTable
        The table.
    identity : tuple
        What decides the spectra: options, and hashes of grid and recipe. It enters the fingerprint of a run.
    """

    table: StellarTable
    identity: tuple[Any, ...]

    def __call__(self, rigidity: Array, parameters: Mapping[str, Array]) -> Array:
        """Shape ``(..., n_elements, n_rigidity)``; NaN outside the table's box."""
        return self.table.spectrum(rigidity, parameters["eta_B"], parameters["gamma"])

    def injected(self, pairs: Pairs, parameters: Mapping[str, Array], log_energy: Array) -> Array:
        """Injected spectra at pairs of element and rigidity; see `Population.injected`."""
        return self.table.injected(pairs, parameters["eta_B"], parameters["gamma"], log_energy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StellarShape) and self.identity == other.identity

    def __hash__(self) -> int:
        return hash(repr(self.identity))


def stellar_population(
    options: StellarOptions,
    table: StellarTable,
    isotopes: IsotopeChoice = "given",
    *,
    identity: tuple[Any, ...],
) -> Population:
    """Build a population from a table.

    Parameters
    ----------
    options : StellarOptions
        What the table was made with.
    table : StellarTable
        Its spectra.
    isotopes : {"given", "dominant", "natural"}
        Isotopes of each element: those of the winds, one, or terrestrial ones.
    identity : tuple
        See `StellarShape`.

    Returns
    -------
    Population
        With the parameters ``power`` (or ``eta_acc``), ``eta_B`` and ``gamma``.
    """
    tag = _LABELS[options.kind]
    budget = mechanical_power(options, table)
    made = f"{options.grid}, {options.recipe}"
    if options.amplitude == "efficiency":
        # no more than all of the power; a prior may begin at nothing
        amplitude = ParameterInfo("eta_acc", 0.1, "", rf"\eta_{{\rm acc}}^{{\rm {tag}}}", PAPER, (0.0, 1.0))
    else:
        amplitude = ParameterInfo(
            "power", 0.1 * budget, "erg/yr", rf"P_{{\rm {tag}}}", f"a tenth of the mechanical power ({made})"
        )
    low, high = options.eta_B_range
    first, last = options.gamma_range
    shape = StellarShape(table, identity)
    return Population(
        name=options.kind,
        label=rf"{{\rm {tag}}}",
        composition=Composition(
            f"{options.kind} ({made})",
            dict(zip(table.elements, table.abundances.tolist(), strict=True)),
            {element: dict(inside) for element, inside in table.isotopes.items()},
            dict.fromkeys(table.elements, f"stellar model: {made}, eta_B = 0.01, gamma = -2"),
        ),
        parameters=(
            amplitude,
            ParameterInfo("eta_B", min(max(0.01, low), high), "", rf"\eta_B^{{\rm {tag}}}", PAPER, options.eta_B_range),
            ParameterInfo(
                "gamma", min(max(-2.0, first), last), "", rf"\gamma^{{\rm {tag}}}", PAPER, options.gamma_range
            ),
        ),
        shape=shape,
        injected=shape.injected,
        isotopes=isotopes,
        shape_per_element=True,
        budget=budget,
        budget_source=_budget_source(options, table),
        metadata={"grid": options.grid, "recipe": options.recipe, "table error": f"{table.error:.1e}"},
    )


def mechanical_power(options: StellarOptions, table: StellarTable) -> float:
    """Mechanical power of the population's winds in the Galaxy [erg/yr].

    All stars form in clusters, whose wind energy is proportional to their mass; those above `COLLECTIVE_FROM` count
    for ``msc``, the lighter ones for individual winds (the general form of eq. 14 of arXiv:2605.31362).

    Parameters
    ----------
    options : StellarOptions
        Gives kind and star-formation rate.
    table : StellarTable
        Gives the energy per solar mass of stars.
    """
    lowest, highest = CLUSTER_MASSES
    collective = options.kind == "msc"
    return galactic_cluster_power(
        options.star_formation_rate,
        table.mechanical_energy,
        1.0,
        lowest_mass=lowest,
        highest_mass=highest,
        counted_from=COLLECTIVE_FROM if collective else lowest,
        counted_to=highest if collective else COLLECTIVE_FROM,
    )


def _budget_source(options: StellarOptions, table: StellarTable) -> str:
    side = "above" if options.kind == "msc" else "below"
    return (
        f"{table.mechanical_energy:.3g} erg/Msun from {options.grid} with {options.recipe}, "
        f"{options.star_formation_rate:g} Msun/yr, clusters {side} 1e4 Msun ({PAPER} eq. 14 in its general form)"
    )
