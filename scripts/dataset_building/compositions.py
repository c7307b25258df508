"""Makes the tables of source compositions from the numbers below."""

from __future__ import annotations

from astropy.table import Column, Table

from stellarcr.species import ELEMENTS

SCHEMA = "stellarcr-composition/1"

POPULATIONS = {"snr": "SNR", "o_wind": "O-type winds", "wr_wind": "WR winds", "msc": "massive star clusters"}

_TABLE_3 = {
    "H": (8.00e-1, 8.73e-1, 4.73e-2, 7.99e-1),
    "He": (1.78e-1, 1.26e-1, 8.66e-1, 1.94e-1),
    "C": (6.69e-3, 1.91e-4, 4.89e-2, 4.80e-3),
    "O": (8.48e-3, 3.85e-4, 3.48e-2, 1.71e-3),
    "Mg": (1.97e-3, 3.43e-5, 1.14e-4, 4.11e-5),
    "Si": (1.69e-3, 3.26e-5, 1.06e-4, 3.89e-5),
    "S": (3.30e-4, 1.37e-5, 4.00e-5, 1.61e-5),
    "Fe": (1.74e-3, 3.95e-5, 1.34e-4, 4.74e-5),
}

_PLACEHOLDER_NEON = {"o_wind": 8.7e-5, "wr_wind": 3.9e-4, "msc": 1.0e-4}

SPECTRAL_INDEX = 2.36

_AT_EQUAL_ENERGY = {
    ("H", 1): 1.06e6,
    ("He", 4): 7.2e4,
    ("C", 12): 2819.0,
    ("N", 14): 183.0,
    ("O", 16): 3822.0,
    ("Ne", 20): 313.0,
    ("Ne", 22): 100.0,
    ("Na", 23): 23.0,
    ("Mg", 24): 658.0,
    ("Mg", 25): 83.0,
    ("Mg", 26): 105.0,
    ("Al", 27): 76.0,
    ("Si", 28): 726.0,
    ("Si", 29): 35.0,
    ("Si", 30): 25.0,
    ("S", 32): 89.0,
    ("Ca", 40): 51.0,
    ("Fe", 56): 698.0,
}


def equal_rigidity_factor(charge: int, mass_number: int, index: float) -> float:
    """Factor from abundances at equal kinetic energy per nucleon to abundances at equal rigidity.

    At relativistic energies R = (A/Z) E per nucleon, so a power law a E^-g per unit of E is
    a (A/Z)^(g-1) R^-g per unit of R.

    Parameters
    ----------
    charge, mass_number : int
        Of the nucleus.
    index : float
        Spectral index g, positive.

    Returns
    -------
    float
        (A/Z)^(g-1); one for the proton.
    """
    return (mass_number / charge) ** (index - 1.0)


def make_table_3() -> Table:
    """Abundances of the four populations that the reference paper prints."""
    table = Table(
        meta={
            "schema": SCHEMA,
            "name": "qiu2026_table3",
            "populations": POPULATIONS,
            "reference": {
                "text": "Qiu, Lin & Yang (2026), Collective Winds of Massive Star Clusters as the Dominant PeVatrons "
                "for Galactic Cosmic Rays",
                "doi": "",
                "arxiv": "2605.31362",
                "table": "Table 3",
            },
            "derived": False,
            "notes": [
                "Number fractions of nuclei at equal rigidity, far below the maximum rigidity.",
                "Columns add up to 0.997-1.000: the other elements (N, Ne, ...) are not printed. Not renormalised.",
            ],
        }
    )
    table["element"] = Column(list(_TABLE_3), description="element")
    for i, (name, title) in enumerate(POPULATIONS.items()):
        values = [row[i] for row in _TABLE_3.values()]
        table[name] = Column(values, description=f"number fraction, {title}")
    return table


def make_placeholder_neon() -> Table:
    """Neon of the winds and clusters until a stellar run gives it."""
    table = Table(
        meta={
            "schema": SCHEMA,
            "name": "placeholder_neon",
            "populations": {name: POPULATIONS[name] for name in _PLACEHOLDER_NEON},
            "reference": {
                "text": "project choice: placeholder, since the reference paper prints no neon",
                "doi": "",
                "arxiv": "",
                "table": "",
            },
            "derived": True,
            "notes": ["Number fractions at equal rigidity on the scale of qiu2026_table3."],
        }
    )
    table["element"] = Column(["Ne"], description="element")
    for name, value in _PLACEHOLDER_NEON.items():
        table[name] = Column([value], description=f"number fraction, {POPULATIONS[name]}")
    return table


def make_galactic_source_composition() -> Table:
    """Isotopic source composition of propagation codes, at equal energy and at equal rigidity."""
    symbols = [symbol for symbol, _ in _AT_EQUAL_ENERGY]
    masses = [mass_number for _, mass_number in _AT_EQUAL_ENERGY]
    charges = [ELEMENTS[symbol] for symbol in symbols]
    raw = list(_AT_EQUAL_ENERGY.values())
    factors = [equal_rigidity_factor(z, a, SPECTRAL_INDEX) for z, a in zip(charges, masses, strict=True)]
    relative = [number / raw[0] * factor for number, factor in zip(raw, factors, strict=True)]
    table = Table(
        meta={
            "schema": SCHEMA,
            "name": "galactic_source_composition",
            "spectral_index": SPECTRAL_INDEX,
            "reference": {
                "text": "project choice: isotopic composition as it is set in full numerical propagation codes for "
                "sources of the SNR type; no publication is claimed for it",
                "doi": "",
                "arxiv": "",
                "table": "",
            },
            "derived": True,
            "notes": [
                "equal_rigidity = equal_energy / equal_energy(H) (A/Z)^(g-1) with g the spectral index.",
                "Computed columns are rounded to six digits.",
            ],
        }
    )
    table["element"] = Column(symbols, description="element")
    table["charge"] = Column(charges, description="charge Z")
    table["mass_number"] = Column(masses, description="mass number A")
    table["equal_energy"] = Column(raw, description="number at equal kinetic energy per nucleon, H = 1.06e6")
    table["factor"] = Column([_round(f) for f in factors], description="(A/Z)^(g-1)")
    table["equal_rigidity"] = Column([_round(r) for r in relative], description="number at equal rigidity, H = 1")
    return table


def _round(value: float) -> float:
    # Powers may differ in the last bit between machines; the file must not.
    return float(f"{value:.6g}")
