"""Refusals of arguments outside their range, before a kernel turns them into NaN."""

from __future__ import annotations

import math

import numpy as np

from ..backend import Array
from ..errors import ModelError, StellarcrError


def check_range(
    name: str,
    value: Array,
    lowest: float,
    highest: float = math.inf,
    *,
    unit: str = "",
    open_below: bool = False,
    error: type[StellarcrError] = ModelError,
) -> None:
    """Refuse values outside a range, and NaN and infinities.

    Numbers and NumPy arrays are looked at; arrays of other libraries may be without values (traced), and pass.

    Parameters
    ----------
    name : str
        What the value is, for the message.
    value : float or array
        The values.
    lowest, highest : float
        Ends of the range, allowed themselves.
    unit : str
        Unit for the message.
    open_below : bool
        The lowest value itself is refused.
    error : type
        Which error to raise.

    Raises
    ------
    StellarcrError
        Of type ``error``: with the first bad value, its index and the range.
    """
    if not isinstance(value, int | float | list | tuple | np.ndarray | np.generic):
        return
    values = np.asarray(value, dtype=float)
    good = np.isfinite(values) & (values <= highest) & ((values > lowest) if open_below else (values >= lowest))
    if np.all(good):
        return
    bad = np.argwhere(~good)[0]
    place = f"[{', '.join(str(i) for i in bad)}]" if values.ndim else ""
    unit = f" {unit}" if unit else ""
    limit = f"above {lowest:g}{unit}" if open_below else f"{lowest:g}{unit} or more"
    if math.isfinite(highest):
        limit += f", and {highest:g}{unit} or less"
    raise error(f"{name}{place} = {values[tuple(bad)]:g}{unit} is out of range", remedy=f"give finite values, {limit}")
