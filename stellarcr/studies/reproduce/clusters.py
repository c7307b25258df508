"""Equation 14: the mechanical power of the Galaxy's star clusters."""

from __future__ import annotations

from ...shock.galactic_power import galactic_cluster_power
from ...shock.sources import CLUSTER_AGE_LIMIT
from ...stars.cluster import CLUSTER_MASS
from .injection import cluster_steps, upper_mass_note
from .items import Result, Row, Settings

STAR_FORMATION_RATE = 2.0
"""Of the Galaxy [Msun/yr], as the paper takes it."""

ENERGY_PER_CLUSTER = 1e53
"""Mechanical energy of the collective wind of a cluster of 3e4 Msun [erg], as the paper rounds it."""

HIGHEST_MASS, LOWEST_MASS, COUNTED_FROM = 1e5, 1e2, 1e4
"""Range of the clusters' masses, and the lightest cluster that counts [Msun], as the paper takes them."""

OTHER_LOWEST_MASS = 1e3
"""Lowest mass [Msun] with which the paper's formula gives the power that the paper prints."""

SUPERNOVA_POWER = 1e49
"""Mechanical power of supernova remnants [erg/yr]: 1e51 erg once in a century, as the paper takes it."""

PAPER_POWER, PAPER_SMALL_CLUSTERS, PAPER_SHARE = 4e48, 1e49, 0.4
"""Printed: power of the clusters that count, power of the lighter ones [erg/yr], and the former's part of
`SUPERNOVA_POWER`."""


def power(
    energy: float, slope: float, lowest: float = LOWEST_MASS, small: bool = False, reference: float = CLUSTER_MASS
) -> float:
    """Power of all clusters above 1e4 Msun, or below it [erg/yr].

    Parameters
    ----------
    energy : float
        Energy of a cluster of the reference mass [erg].
    slope : float
        0: every cluster releases this energy; 1: energy in proportion to mass.
    lowest : float
        Lowest mass of a cluster [Msun].
    small : bool
        Count the clusters below 1e4 Msun, not those above.
    reference : float
        Mass of the cluster with that energy [Msun].
    """
    start, stop = (lowest, COUNTED_FROM) if small else (COUNTED_FROM, HIGHEST_MASS)
    return galactic_cluster_power(
        STAR_FORMATION_RATE,
        energy,
        reference,
        lowest_mass=lowest,
        highest_mass=HIGHEST_MASS,
        counted_from=start,
        counted_to=stop,
        energy_slope=slope,
    )


def eq14(settings: Settings) -> Result:
    """Power of the Galaxy's clusters: the paper's formula and numbers, and the model's own energy per cluster mass."""
    early = cluster_steps(settings).energy
    whole = cluster_steps(settings, last_age=float("inf")).energy
    unit = "erg/yr"
    literal = power(ENERGY_PER_CLUSTER, 0.0)
    part = "part of the supernovae's 1e49 erg/yr"
    above, below = "clusters above 1e4 Msun", "clusters below 1e4 Msun"
    small = power(whole, 1.0, small=True)
    rows = (
        Row(f"eq. 14 with its own numbers ({above}, M_min = 1e2 Msun)", unit, literal, PAPER_POWER),
        Row(
            f"eq. 14 with M_min = 1e3 Msun ({above})",
            unit,
            power(ENERGY_PER_CLUSTER, 0.0, OTHER_LOWEST_MASS),
            PAPER_POWER,
        ),
        Row(f"energy in proportion to mass ({above})", unit, power(ENERGY_PER_CLUSTER, 1.0), PAPER_POWER),
        Row(
            f"energy in proportion to mass ({below})",
            unit,
            power(ENERGY_PER_CLUSTER, 1.0, small=True),
            PAPER_SMALL_CLUSTERS,
        ),
        Row(f"eq. 14 with its own numbers, {part}", "", literal / SUPERNOVA_POWER, PAPER_SHARE),
        Row("wind energy of a cluster of 3e4 Msun, whole life", "erg", whole, ENERGY_PER_CLUSTER),
        Row("wind energy of a cluster of 3e4 Msun, first 5 Myr", "erg", early, ENERGY_PER_CLUSTER),
        Row(f"from our energy, in proportion to mass ({above})", unit, power(whole, 1.0), PAPER_POWER),
        Row(f"from our energy, first 5 Myr ({above})", unit, power(early, 1.0), PAPER_POWER),
        Row(f"from our energy, in proportion to mass ({below})", unit, small, PAPER_SMALL_CLUSTERS),
        Row(
            f"from our energy, {part} ({above})",
            "",
            power(whole, 1.0) / SUPERNOVA_POWER,
            PAPER_SHARE,
        ),
    )
    notes = (
        f"SFR = {STAR_FORMATION_RATE:g} Msun/yr, all of it in clusters with dN/dM ~ M^-2 up to 1e5 Msun; mechanical "
        "power, of which cosmic rays get the share eta_acc",
        "the formula gives the printed 4e48 erg/yr with M_min = 1e3 Msun, not with the stated 1e2 Msun",
        "eq. 14 gives the energy of a cluster of 3e4 Msun to every cluster above 1e4 Msun; winds add up, so that "
        "energy in proportion to mass is the consistent choice",
        f"the age limit of {CLUSTER_AGE_LIMIT:g} yr leaves out {1.0 - early / whole:.1%} of the energy; "
        + upper_mass_note(settings),
    )
    return Result("mechanical power of the Galaxy's massive star clusters", rows, notes)
