"""Checks of the wind that is handed to a bubble: each error names the array, the node and the value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stellarcr.errors import DataError, ParameterError, nearest

Array = NDArray[np.float64]

INTERPOLATIONS = ("linear", "constant")
MIXTURE_SLACK = 1e-6
"""`project choice`: F^2 may exceed 2 L mdot by this fraction, for tables printed with seven digits."""


def check_wind(
    age: ArrayLike,
    momentum_flux: ArrayLike,
    luminosity: ArrayLike,
    mass_loss: ArrayLike | None,
    start: float,
    interpolation: str,
    tolerance: float,
) -> tuple[Array, Array, Array]:
    """Refuse what is not a wind; units as in `stellarcr.shock.bubble.solve_bubble`.

    Returns
    -------
    tuple of arrays
        Age, F and L, broadcast to one shape.

    Raises
    ------
    DataError
        For shapes that do not fit, values that are not finite or negative, ages that do not increase or do not hold
        `start`, a wind with momentum but no energy, F^2 > 2 L mdot.
    ParameterError
        For an unknown interpolation or an option out of range.
    """
    if interpolation not in INTERPOLATIONS:
        raise ParameterError(
            f"interpolation = {interpolation!r} is unknown",
            where="bubble",
            remedy=nearest(interpolation, INTERPOLATIONS),
        )
    if not 1e-13 <= tolerance <= 1e-3:
        raise ParameterError(
            f"tolerance = {tolerance!r} is outside 1e-13 to 1e-3", where="bubble", remedy="the default is 1e-9"
        )
    if not (np.isfinite(start) and start > 0):
        raise ParameterError(
            f"start = {start!r} is not a positive age", where="bubble", remedy="give an age in yr; the default is 1e4"
        )

    given = {"age": age, "momentum_flux": momentum_flux, "luminosity": luminosity}
    if mass_loss is not None:
        given["mass_loss"] = mass_loss
    try:
        arrays = {name: np.asarray(values, dtype=np.float64) for name, values in given.items()}
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {np.shape(np.asarray(v, dtype=object))}" for name, v in given.items())
        raise DataError(
            f"the arrays of the wind do not fit together: {shapes}",
            where="bubble",
            remedy="give numbers with the same nodes on the last axis",
        ) from error
    if any(a.ndim == 0 or a.shape[-1] != shape[-1] for a in arrays.values()) or shape[-1] < 2:
        raise DataError(
            "the wind needs two age nodes or more, the same for all arrays: "
            + ", ".join(f"{name} {a.shape}" for name, a in arrays.items()),
            where="bubble",
            remedy="give one value per age node",
        )
    if 0 in shape:
        raise DataError(f"the batch is empty: shape {shape}", where="bubble", remedy="give one star or more")
    arrays = {name: np.broadcast_to(a, shape) for name, a in arrays.items()}

    for name, values in arrays.items():
        _refuse(
            ~np.isfinite(values) | (values < 0), name, values, "is negative or not finite", "correct or drop the row"
        )
    ages, flux, power = arrays["age"], arrays["momentum_flux"], arrays["luminosity"]
    late = np.zeros(shape, dtype=bool)
    late[..., 1:] = np.diff(ages, axis=-1) <= 0
    _refuse(late, "age", ages, "does not exceed the age before it", "sort the rows and drop rows of equal age")
    early, last = ages[..., :1] > start, ages[..., -1:] <= start
    if early.any() or last.any():
        raise DataError(
            f"the ages run from {ages[..., 0].max():g} to {ages[..., -1].min():g} yr and miss the start, {start:g} yr",
            where="age nodes of the bubble",
            remedy="begin the ages at the star's birth (age 0), or give start=... within them",
        )
    _refuse(
        (flux > 0) & (power == 0), "luminosity", power, "belongs to a wind with momentum",
        "give both F and L, or zero for both where no wind blows",
    )  # fmt: skip
    rows = np.sum(ages <= start, axis=-1, keepdims=True) - 1
    born = np.take_along_axis(power, rows, axis=-1)
    if interpolation == "linear":
        following = np.take_along_axis(power, rows + 1, axis=-1)
        exactly = np.take_along_axis(ages, rows, axis=-1) == start
        born = np.where(exactly, born, np.where((born == 0) & (following > 0), following, born))
    _refuse(
        np.broadcast_to(born == 0, shape) & (np.arange(shape[-1]) == rows), "luminosity", power,
        f"leaves no wind at the start, {start:g} yr", "give start=... where the wind blows",
    )  # fmt: skip
    if "mass_loss" in arrays:
        mass_loss_rate = arrays["mass_loss"]
        wrong = flux**2 > 2 * power * mass_loss_rate * (1 + MIXTURE_SLACK)
        _refuse(
            wrong, "momentum_flux", flux, "breaks F^2 <= 2 L mdot, which holds for any mixture of winds",
            "check the units: F in g cm/s^2, L in erg/s, mdot in g/s",
        )  # fmt: skip
    return ages, flux, power


def _refuse(wrong: NDArray[np.bool_], name: str, values: Array, what: str, remedy: str) -> None:
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        star = f", star {place[:-1] if len(place) > 2 else place[0]}" if len(place) > 1 else ""
        raise DataError(
            f"{name} = {values[place]:g} {what}", where=f"node {place[-1]}{star} of the bubble's wind", remedy=remedy
        )
