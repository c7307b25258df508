"""The format of stellarcr's tables of measured spectra: columns, header keys, axes and units.

A table is an astropy ECSV file (version 1 of the schema). One row is one bin. Columns:

========================================  ==========================================================
``x_low``, ``x_high``                     bin edges; NaN in both where no edges are published
``x``                                     representative point of the bin
``value``                                 flux per steradian, area, time and unit of the axis; <ln A>; or a
                                          ratio of fluxes
``stat_low``, ``stat_high``               statistical error, downwards and upwards
``systematic_<name>_low``, ``..._high``   one pair of columns for every named systematic component
``upper_limit``                           True where ``value`` is an upper limit
``flag``                                  remark on this row, usually empty
========================================  ==========================================================

All errors carry the unit of ``value``. The header's ``meta`` holds the keys of `REQUIRED_META`; these are optional:

========================================  ==========================================================
``status``                                one of `STATUSES`; ``recommended`` if absent
``hadronic_model``                        interaction model that the measurement assumes
``bins_overlap``                          true where several detectors measured overlapping bins; rows are
                                          then sorted by ``x`` and edges may interleave
``mass_group``                            true where the flux is that of a group of elements that the species stands
                                          for, as air-shower experiments measure it
``mock``                                  true where values were drawn from a model and not measured; they may then
                                          be zero or negative
``analysis``, ``data_period``             what tells versions of a measurement apart
``x_definition``, ``edges_definition``    how points and edges were defined or obtained
``notes``, ``confidence``, ``provenance`` transcription and caveats
========================================  ==========================================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import DataError, ParameterError, nearest
from ..species import canonical_species, check_element

SCHEMA = "stellarcr-spectrum/1"

AXES: Mapping[str, str] = MappingProxyType({"R": "GV", "EK": "GeV", "EKN": "GeV", "ETOT": "GeV"})
"""Axis codes as CRDB uses them, with their unit: rigidity, kinetic energy per nucleus, kinetic energy per
nucleon and total energy per nucleus. A flux on EKN is per GeV per nucleon; the axis code says so, the unit
GeV does not."""

AXIS_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "R": "rigidity",
        "EK": "kinetic energy per nucleus",
        "EKN": "kinetic energy per nucleon",
        "ETOT": "total energy per nucleus",
    }
)

QUANTITIES = ("flux", "lnA", "ratio")
"""What ``value`` may be: a flux, the mean logarithm of the mass number, or a ratio of two fluxes at equal x."""

STATUSES = ("recommended", "superseded")
"""A superseded table is an older version of a measurement that another table replaces: never fit both."""

REQUIRED_META = ("schema", "name", "experiment", "species", "quantity", "axis", "reference", "systematics")

TRUTHS = ("bins_overlap", "mass_group")
"""Optional keys of the header that are true or false, and that a user gives a table."""

MOCK = "mock"
"""Optional key of the header, true or false, that only tables of drawn values have."""

REFERENCE_KEYS = ("text", "doi", "arxiv", "table")

X_COLUMNS = ("x", "x_low", "x_high")
"""Columns in the unit of the axis; the other columns of numbers are in the unit of the value."""

FIXED_COLUMNS = ("x_low", "x_high", "x", "value", "stat_low", "stat_high", "upper_limit", "flag")

EXPERIMENT_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "AMS": "AMS-02",
        "AMS02": "AMS-02",
        "CREAM-III": "CREAM-I+III",
        "HESS": "H.E.S.S.",
        "NUCLEON-KLEM": "NUCLEON",
        "Tibet": "Tibet-III",
        "TUNKA": "TUNKA-133",
        "Tunka-133": "TUNKA-133",
        "Voyager": "Voyager 1",
        "Voyager1": "Voyager 1",
        "Voyager-1": "Voyager 1",
    }
)

_SYSTEMATIC = re.compile(r"^systematic_(?P<name>[a-z][a-z0-9_]*)_(?P<side>low|high)$")


def value_unit(quantity: str, axis: str) -> str:
    """Unit of ``value``, as a string that astropy parses.

    Parameters
    ----------
    quantity : {"flux", "lnA", "ratio"}
        What the table holds.
    axis : {"R", "EK", "EKN", "ETOT"}
        The table's axis.
    """
    return f"1 / (m2 s sr {AXES[axis]})" if quantity == "flux" else ""


def systematic_columns(name: str) -> tuple[str, str]:
    """Names of the lower and upper column of a systematic component."""
    return f"systematic_{name}_low", f"systematic_{name}_high"


def split_systematic(column: str) -> tuple[str, str] | None:
    """Component and side (``low`` or ``high``) that a column holds; None if it is no systematic error."""
    match = _SYSTEMATIC.match(column)
    return (match["name"], match["side"]) if match else None


def check_species(species: str) -> str:
    """Return the one spelling of an element, a group, a sum such as ``C+O``, or a ratio of those such as ``B/C``.

    Raises
    ------
    DataError
        If a part of it is no element and no group from H to Ni.
    """
    if "/" in species:
        numerator, _, denominator = species.partition("/")
        if "/" in denominator:
            raise DataError(f"{species!r} is no ratio of two", remedy="write one numerator and one denominator: B/C")
        return f"{check_species(numerator.strip())}/{check_species(denominator.strip())}"
    try:
        if "+" in species and species not in ("p+He", "H+He"):
            symbols = [canonical_species(part) for part in species.split("+")]
            for symbol in symbols:
                check_element(symbol)
            return "+".join(symbols)
        return canonical_species(species)
    except ParameterError as error:
        raise DataError(error.problem, remedy=error.remedy) from None


def request(species: str) -> tuple[str, str]:
    """Read what a user asks for: ``He`` is a flux, ``B/C`` a ratio, ``lnA`` the mean ln A of all particles.

    Returns
    -------
    species, quantity : str
        Canonical species, and one of `QUANTITIES`.

    Raises
    ------
    DataError
        If the species is unknown.
    """
    if species.lower() in ("lna", "<lna>"):
        return "all", "lnA"
    canonical = check_species(species)
    return canonical, "ratio" if "/" in canonical else "flux"


def check_status(status: str) -> str:
    """Refuse a status that is not one of `STATUSES`.

    Raises
    ------
    DataError
        With the nearest one.
    """
    if status not in STATUSES:
        raise DataError(f"unknown status {status!r}", remedy=nearest(status, STATUSES))
    return status


def check_axis(axis: str) -> str:
    """Refuse an axis code that is not one of `AXES`.

    Raises
    ------
    DataError
        With the nearest code.
    """
    if axis not in AXES:
        raise DataError(f"unknown axis {axis!r}", remedy=nearest(axis, AXES))
    return axis


def axis_code(text: str) -> str:
    """Return the axis code that a user means, in whatever case it was typed.

    Raises
    ------
    DataError
        With the nearest code.
    """
    return check_axis(text.upper() if text.upper() in AXES else text)
