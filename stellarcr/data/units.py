"""Reads units as people write them."""

from __future__ import annotations

import re

from astropy import units as u

from ..errors import DataError

UNIT_EXAMPLE = "GeV^-1 cm^-2 s^-1 sr^-1"

_DECIMAL_POWER = re.compile(r"(?<=[A-Za-z])\s*(?:\^|\*\*)?\s*\(?([+-]?\d+\.\d+)\)?")
_INVERSE = re.compile(r"^\(([^()]+)\)\s*(?:\^|\*\*)\s*\(?-1\)?$")


def parse_unit(text: str, option: str, where: str = "") -> u.UnitBase:
    """Read a unit; powers with a decimal point need no parentheses, and ``(m2 s sr GeV)^-1`` and ``1/m2/s`` are known.

    Parameters
    ----------
    text : str
        Such as ``TeV``, ``GeV^-1 cm^-2 s^-1 sr^-1`` or ``GeV^1.7 m^-2 s^-1 sr^-1``.
    option, where : str
        Who gave it, for the message.

    Raises
    ------
    DataError
        If astropy cannot parse it.
    """
    try:
        return u.Unit(_DECIMAL_POWER.sub(r"^(\1)", _one_fraction(text)))
    except (ValueError, TypeError):
        remedy = f"write it as astropy does, for example 'GV', 'TeV' or '{UNIT_EXAMPLE}'"
        if re.search(r"/\s*n|nuc", text):
            remedy += "; the axis EKN says 'per nucleon', the unit does not"
        raise DataError(f"{option}: astropy does not know the unit {text!r}", where=where, remedy=remedy) from None


def _one_fraction(text: str) -> str:
    """Write what astropy does not parse, a product to the power -1 and several slashes, with one slash."""
    inverse = _INVERSE.match(text.strip())
    if inverse:
        return f"1 / ({inverse[1]})"
    first, *others = (part.strip() for part in text.split("/"))
    return f"{first or 1} / ({' '.join(others)})" if len(others) > 1 and not re.search(r"[() ]", text) else text
