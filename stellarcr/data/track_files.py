"""Readers of the two public formats of evolution tracks: MIST ``.track.eep`` and GENEC/SYCLIST ``.dat``.

What both formats hide, and what is done about it:

- MIST's ``star_mdot`` is negative for loss, GENEC's ``lg(Md)`` is a logarithm: here rates are positive for loss.
- GENEC prints rows with equal ages: only the first of them is kept. An age that goes back is an error.
- GENEC's Fortran leaves the E of three-digit exponents out (``2.83-289``).
- GENEC has two columns ``lg(Teff)``: the first corrected for the wind of Wolf-Rayet stars, the second hydrostatic. The
  radius is not tabulated and follows from luminosity and hydrostatic temperature.
- MIST's ``surface_fe56`` carries all heavier metals (`MIST_LUMPED`).
- MIST has no Ne22. What the tabulated mass fractions lack compared with the first row of a track is the Ne22 that the
  star has made (`MIST_DERIVED`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from ..errors import DataError
from ..stars.tracks import SOLAR_TEMPERATURE, Track
from .track_text import (
    RESTORE,
    TrackText,
    new_ages,
    number,
    read_rows,
    read_text,
    require_between,
    require_columns,
)  # fmt: skip

MIST_SURFACE: Mapping[str, str] = MappingProxyType(
    {
        name.capitalize(): f"surface_{name}"
        for name in (
            "h1", "he3", "he4", "li7", "be9", "b11", "c12", "c13", "n14", "o16", "f19", "ne20", "na23", "mg24",
            "si28", "s32", "ca40", "ti48", "fe56",
        )
    }
)  # fmt: skip
"""Column of every nuclide in a MIST file."""

MIST_DERIVED = MappingProxyType(
    {
        "Ne22": "sum of the tabulated mass fractions in the first row of the track minus their sum, where positive: "
        "the Ne22 that the star has made; the initial Ne22 is not in it"
    }
)
"""Nuclides that MIST does not tabulate, and how they are derived."""

MIST_LUMPED = MappingProxyType({"Fe56": "all metals that are not tabulated and heavier than Ti48"})
"""Nuclides of MIST that carry others."""

GENEC_SURFACE: Mapping[str, str] = MappingProxyType(
    {
        "H1": "1H_surf", "He4": "4He_surf", "C12": "12C_surf", "C13": "13C_surf", "N14": "14N_surf",
        "O16": "16O_surf", "O17": "17O_surf", "O18": "18O_surf", "Ne20": "20Ne_surf", "Ne22": "22Ne_surf",
        "Al26": "26Al_surf",
    }
)  # fmt: skip
"""Column of every nuclide in a GENEC file."""

GENEC_ROWS = 400
"""Rows of a GENEC/SYCLIST file."""

GENEC_POINTS = (1, 110, 190, 370, GENEC_ROWS)
"""Rows that mark the same stage in every GENEC/SYCLIST file: first model, central hydrogen burnt, central helium
ignites, central helium burnt, last model. The numbers were read off the central abundances of the files of Z = 0.014,
without and with rotation, and are checked there (tests/stars/test_track_interpolation.py). A stage that a star skips
(rows 351 to 369, without rotation) fills its rows with equal ages.
"""

_MIST = ("star_age", "star_mass", "star_mdot", "log_L", "log_Teff", "log_R", "center_h1", "center_he4", "center_c12")
_HYDROSTATIC = "lg(Teff), second"
_GENEC = ("line", "time", "mass", "lg(L)", "lg(Teff)", _HYDROSTATIC, "lg(Md)", "1H_cen", "4He_cen", "12C_cen")
_GENEC_NAME = re.compile(r"^M(?P<whole>\d{3})p(?P<parts>\d{2})Z(?P<metals>\d{2,})V(?P<rotation>\d{2,})\.dat$")


def read_mist_track(path: str | Path, drop_lines: Collection[int] = ()) -> Track:
    """Read a MIST track with equivalent evolutionary points.

    Parameters
    ----------
    path : str or pathlib.Path
        A file ``*.track.eep``, or ``*.track.eep_INTERP``, which the authors filled by interpolation.
    drop_lines : collection of int
        Lines to leave out.

    Returns
    -------
    Track
        `Track.point` is the number of the equivalent evolutionary point.

    Raises
    ------
    DataError
        For a wrong header, a missing column, a truncated file, ages that go back, or values that cannot be.
    """
    text = read_text(path)
    header = mist_header(text)
    names = text.line(12).lstrip("# ").split()
    if len(names) != header["N_col"]:
        raise DataError(
            f"{len(names)} column names, N_col is {header['N_col']:g}", where=text.where(12), remedy=RESTORE
        )
    require_columns(names, (*_MIST, *MIST_SURFACE.values()), text, 12)
    columns = {name: names.index(name) for name in (*_MIST, *MIST_SURFACE.values())}
    values, lines = read_rows(text, 13, columns, len(names), drop_lines)
    _require_rows(len(lines) + len({*drop_lines}), int(header["N_pts"]), text, "N_pts of line 8")
    require_between(values["star_mdot"], -np.inf, 0.0, lines, text, "star_mdot")
    surface = np.stack([values[name] for name in MIST_SURFACE.values()], axis=-1)
    total = surface.sum(axis=-1)
    neon = np.maximum(total[0] - total, 0.0)
    return _track(
        text,
        header["initial_mass"],
        values | {"radius": 10.0 ** values["log_R"], "loss": -values["star_mdot"]},
        lines,
        ("star_age", "star_mass", "loss", "log_L", "log_Teff", None),
        ("center_h1", "center_he4", "center_c12"),
        surface=np.concatenate([surface, neon[:, np.newaxis]], axis=-1),
        point=lines - 12,
        nuclides=(*MIST_SURFACE, *MIST_DERIVED),
        columns=(*MIST_SURFACE.values(), "Ne22 (derived)"),
        primary_points=_primary_points(text, int(header["N_EEP"])),
        filled=text.path.name.endswith("_INTERP"),
    )


def read_genec_track(path: str | Path, drop_lines: Collection[int] = ()) -> Track:
    """Read a GENEC track as SYCLIST distributes it.

    Parameters
    ----------
    path : str or pathlib.Path
        A file such as ``M060p00Z14V40.dat``; its name says the initial mass (60.00 Msun), 1000 times the metallicity,
        and 100 times the rotation.
    drop_lines : collection of int
        Lines to leave out.

    Returns
    -------
    Track
        `Track.point` is the row number in the file: the same stage of evolution in every track (`GENEC_POINTS`).

    Raises
    ------
    DataError
        For a wrong name or header, a missing column, a truncated file, ages that go back, or values that cannot be.
    """
    text = read_text(path)
    initial_mass = genec_name(text.path)["initial_mass"]
    names = text.line(1).split()
    if names[:2] != ["line", "time"] or text.line(2).split()[:2] != ["-", "yr"]:
        raise DataError(
            "not the header of a GENEC/SYCLIST track: line 1 names columns from 'line' and 'time' on, line 2 units",
            where=text.where(1),
            remedy="take a .dat file as SYCLIST writes it, or a MIST .track.eep file",
        )
    if names.count("lg(Teff)") == 2:
        names[len(names) - 1 - names[::-1].index("lg(Teff)")] = _HYDROSTATIC
    require_columns(names, (*_GENEC, *GENEC_SURFACE.values()), text, 1)
    columns = {name: names.index(name) for name in (*_GENEC, *GENEC_SURFACE.values())}
    first = 3 if text.line(3).strip() else 4
    values, lines = read_rows(text, first, columns, len(names), drop_lines)
    _require_rows(len(lines) + len({*drop_lines}), GENEC_ROWS, text, "a GENEC/SYCLIST track")
    radius = 10.0 ** (0.5 * values["lg(L)"]) * (SOLAR_TEMPERATURE / 10.0 ** values[_HYDROSTATIC]) ** 2
    return _track(
        text,
        initial_mass,
        values | {"radius": radius, "loss": 10.0 ** values["lg(Md)"]},
        lines,
        ("time", "mass", "loss", "lg(L)", _HYDROSTATIC, "lg(Teff)"),
        ("1H_cen", "4He_cen", "12C_cen"),
        surface=np.stack([values[name] for name in GENEC_SURFACE.values()], axis=-1),
        point=values["line"].astype(np.int64),
        nuclides=tuple(GENEC_SURFACE),
        columns=tuple(GENEC_SURFACE.values()),
        primary_points=GENEC_POINTS,
        filled=False,
    )


def mist_header(text: TrackText) -> dict[str, float]:
    """Return the numbers of a MIST header: Yinit, Zinit, [Fe/H], v/vcrit, initial_mass, N_pts, N_EEP, N_col.

    Raises
    ------
    DataError
        If it is no MIST header.
    """
    if not text.line(1).startswith("# MIST version number"):
        raise DataError(
            "not the header of a MIST track: line 1 does not begin with '# MIST version number'",
            where=text.where(1),
            remedy="take a file *.track.eep as MIST distributes it, or a GENEC .dat file",
        )
    found = {}
    for line, wanted in ((4, ("Zinit", "v/vcrit")), (7, ("initial_mass", "N_pts", "N_EEP", "N_col"))):
        names = text.line(line).lstrip("# ").split()
        words = text.line(line + 1).lstrip("# ").split()
        for name in wanted:
            if name not in names or len(words) < len(names):
                raise DataError(f"the header gives no {name!r}", where=text.where(line + 1), remedy=RESTORE)
            found[name] = number(words[names.index(name)], text, line + 1, name)
    return found


def genec_name(path: Path) -> dict[str, float]:
    """Return initial_mass [Msun], metallicity and rotation (fraction of critical) that a GENEC file name states.

    Raises
    ------
    DataError
        If the name has another form.
    """
    match = _GENEC_NAME.match(path.name)
    if match is None:
        raise DataError(
            f"the file name {path.name!r} does not say the initial mass",
            where=str(path),
            remedy="name it as SYCLIST does: M060p00Z14V40.dat is 60.00 Msun, Z = 0.014, 40% of critical rotation",
        )
    return {
        "initial_mass": float(f"{match['whole']}.{match['parts']}"),
        "metallicity": float(f"0.0{match['metals']}"),
        "rotation": float(f"0.{match['rotation']}"),
    }


def _primary_points(text: TrackText, count: int) -> tuple[int, ...]:
    words = text.line(9).removeprefix("# EEPs:").split()
    if not text.line(9).startswith("# EEPs:") or len(words) != count or not all(word.isdecimal() for word in words):
        raise DataError(
            f"line 9 does not give the {count} primary points that line 8 announces",
            where=text.where(9),
            remedy=RESTORE,
        )
    return tuple(int(word) for word in words)


def _require_rows(found: int, expected: int, text: TrackText, says: str) -> None:
    if found != expected:
        state = "truncated" if found < expected else "damaged"
        raise DataError(
            f"{found} rows instead of {expected} ({says}): the file is {state}",
            where=text.where(len(text.lines)),
            remedy=RESTORE,
        )


def _track(
    text: TrackText,
    initial_mass: float,
    values: Mapping[str, np.ndarray],
    lines: np.ndarray,
    names: tuple[str, str, str, str, str, str | None],
    central: tuple[str, str, str],
    *,
    surface: np.ndarray,
    point: np.ndarray,
    nuclides: tuple[str, ...],
    columns: tuple[str, ...],
    primary_points: tuple[int, ...],
    filled: bool,
) -> Track:
    """Check what both formats share, leave out rows of equal age, and make the record."""
    age, mass, loss, luminosity, temperature, wind = names
    # An initial mass is printed with as many digits as a mass of the table, or more.
    require_between(values[mass], 0.0, initial_mass * (1.0 + 1e-6), lines, text, mass)
    for fraction, column in zip(surface.T, columns, strict=True):
        require_between(fraction, 0.0, 1.0, lines, text, column)
    for row in np.flatnonzero(surface.sum(axis=-1) > 1.0 + 1e-5):
        raise DataError(
            f"the surface mass fractions add up to {surface[row].sum():.6f}",
            where=text.where(lines[row]),
            remedy=RESTORE,
        )
    keep = new_ages(values[age], lines, text, age)
    for step in np.flatnonzero(np.diff(values[mass][keep]) > 0.0):
        raise DataError(
            f"the mass grows to {values[mass][keep][step + 1]:.9g} Msun",
            where=text.where(lines[keep][step + 1], mass),
            remedy=RESTORE,
        )
    return Track(
        initial_mass=initial_mass,
        age=values[age][keep],
        mass=values[mass][keep],
        mass_loss_rate=values[loss][keep],
        log_luminosity=values[luminosity][keep],
        log_temperature=values[temperature][keep],
        log_temperature_wind=None if wind is None else values[wind][keep],
        radius=values["radius"][keep],
        surface=surface[keep],
        center=np.stack([values[name][keep] for name in central], axis=-1),
        point=point[keep],
        nuclides=nuclides,
        primary_points=primary_points,
        filled=filled,
        source=text.path.name,
        sha256=text.sha256,
    )
