"""Names of the model's parameters, and which names and values are possible."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import numpy as np

from ..errors import ParameterError, nearest
from ..observe.grid import RigidityGrid
from ..populations.base import ParameterInfo

LOG10 = "log10_"
"""``snr.log10_R_max`` is the logarithm of ``snr.R_max``."""


@cache
def split_name(name: str) -> tuple[str, str, bool]:
    """Component, local name without ``log10_``, and whether it was a logarithm."""
    component, _, local = name.partition(".")
    return component, local.removeprefix(LOG10), local.startswith(LOG10)


def plain_name(name: str) -> str:
    """``snr.log10_R_max`` to ``snr.R_max``; other names unchanged."""
    component, _, local = name.partition(".")
    return f"{component}.{local.removeprefix(LOG10)}"


def log_name(name: str) -> str:
    """``snr.R_max`` to ``snr.log10_R_max``."""
    component, _, local = name.partition(".")
    return f"{component}.{LOG10}{local}"


def check_names(names: Iterable[str], known: Mapping[str, ParameterInfo], where: str = "") -> None:
    """Refuse unknown names, and one parameter given in two forms.

    Raises
    ------
    ParameterError
        With the nearest valid names.
    """
    seen: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        if plain not in known:
            raise ParameterError(
                f"the model has no parameter {name!r}",
                where=where,
                remedy=nearest(name, _candidates(name, known)),
            )
        if plain in seen:
            raise ParameterError(
                f"parameter {plain!r} is given twice, as {seen[plain]!r} and {name!r}",
                where=where,
                remedy="keep one of them",
            )
        seen[plain] = name


def _candidates(name: str, known: Mapping[str, ParameterInfo]) -> list[str]:
    """Names that a wrong one may have meant: those of its section, if known, in the form (log10 or not) it has."""
    section = name.partition(".")[0] + "."
    names = [k for k in known if k.startswith(section)] or list(known)
    return [log_name(k) for k in names] if "log10_" in name else names


def check_value(name: str, value: float, known: Mapping[str, ParameterInfo], limit: bool = False) -> None:
    """Refuse a value that a parameter cannot have; see `ForwardModel.check_value`.

    Raises
    ------
    ParameterError
        With name, value and what to do.
    """
    if not limit and not np.isfinite(value):
        raise ParameterError(f"parameter {name!r} = {value} is not finite", remedy="give a finite number")
    if not limit:
        check_limits(name, value, value, known)
    if plain_name(name) != name:
        return
    info = known[name]
    multiplier = ".abundance." in name
    if (info.unit or multiplier or name.endswith(".eta_acc")) and (
        value < 0 or (value == 0 and not limit and not multiplier)
    ):
        what = "the prior allows values down to" if limit else "the value is"
        raise ParameterError(
            f"parameter {name!r} cannot be negative{'' if multiplier else ' or zero'}, but {what} {value:g}",
            remedy="use a prior of positive numbers, such as log_uniform, log_normal, or truncated_normal with "
            "low = 0.0"
            if limit
            else f"give a positive number{' of ' + info.unit if info.unit else ''}",
        )


def check_limits(name: str, low: float, high: float, known: Mapping[str, ParameterInfo]) -> None:
    """Refuse values outside the limits between which a component knows a parameter.

    Parameters
    ----------
    name : str
        Full name, plain or with ``log10_``.
    low, high : float
        Ends of a prior, or one value twice.
    known : mapping
        Parameters by full name.

    Raises
    ------
    ParameterError
        With name, values, limits and what to do.
    """
    limits = known[plain_name(name)].limits
    if limits is None:
        return
    if plain_name(name) != name:
        with np.errstate(divide="ignore"):
            limits = float(np.log10(max(limits[0], 0.0))), float(np.log10(limits[1]))
    width = limits[1] - limits[0]
    slack = 1e-9 * (width if np.isfinite(width) else 1.0)
    if not (limits[0] - slack <= low and high <= limits[1] + slack):
        component, _, local = plain_name(name).partition(".")
        what = f"{low:g}" if low == high else f"a prior from {low:g} to {high:g}"
        raise ParameterError(
            f"parameter {name!r}: {what} is outside its limits, {limits[0]:g} to {limits[1]:g}",
            remedy="stay inside"
            + (
                f", or widen {local}_range in the options of [populations.{component}]"
                if local in ("eta_B", "gamma")
                else f"; a prior without an end there: truncated_normal with low = {limits[0]:g}, log_normal or uniform"
                if not (np.isfinite(low) and np.isfinite(high))
                else ""
            ),
        )


DIFFUSION_RANGES: Mapping[str, tuple[float, float, str]] = {
    "galaxy.D0": (1e24, 1e33, "cm2/s"),
    "galaxy.delta": (-2.0, 3.0, ""),
    "galaxy.delta_h": (-2.0, 3.0, ""),
    "galaxy.eta": (-10.0, 10.0, ""),
}
"""Beyond these a parameter of diffusion is a slip of the pen: `project choice`, far from any published value."""


def check_diffusion(name: str, low: float, high: float) -> None:
    """Refuse a diffusion coefficient that cannot be meant, such as log10_D0 = 280.

    Parameters
    ----------
    name : str
        Full name, plain or with ``log10_``; what is not in `DIFFUSION_RANGES` passes.
    low, high : float
        Ends of a prior, of which infinite ones are left alone, or one value twice.

    Raises
    ------
    ParameterError
        With name, values, range and what to do.
    """
    if plain_name(name) not in DIFFUSION_RANGES:
        return
    first, last, unit = DIFFUSION_RANGES[plain_name(name)]
    if plain_name(name) != name:
        if first <= 0:
            return
        first, last, unit = float(np.log10(first)), float(np.log10(last)), f"log10 of {unit}"
    if all(first <= end <= last for end in (low, high) if np.isfinite(end)):
        return
    what = f"{low:g}" if low == high else f"a prior from {low:g} to {high:g}"
    raise ParameterError(
        f"parameter {name!r}: {what} is far from any diffusion coefficient, {first:g} to {last:g} {unit}".rstrip(),
        remedy="check value and unit; usual are D0 = 1e28 to 1e29 cm2/s at 4 GV, slopes of 0.2 to 0.7, eta of -2 to 1",
    )


def check_break(name: str, low: float, high: float, grid: RigidityGrid) -> None:
    """Refuse a break of the diffusion coefficient outside the rigidity grid, where it would do nothing.

    Parameters
    ----------
    name : str
        ``galaxy.R_h`` or ``galaxy.log10_R_h``; any other passes.
    low, high : float
        Ends of a prior, of which infinite ones are left alone, or one value twice.
    grid : RigidityGrid
        Of the model.

    Raises
    ------
    ParameterError
        With name, values, the grid's range and what to do.
    """
    if plain_name(name) != "galaxy.R_h":
        return
    logarithmic = plain_name(name) != name
    first, last = (np.log10(r) if logarithmic else r for r in (grid.lowest, grid.highest))
    slack = 1e-9 * (last - first)
    if all(first - slack <= end <= last + slack for end in (low, high) if np.isfinite(end)):
        return
    what = f"{low:g}" if low == high else f"a prior from {low:g} to {high:g}"
    raise ParameterError(
        f"parameter {name!r}: {what} leaves the rigidity grid, {first:g} to {last:g}"
        + (" (log10 of GV)" if logarithmic else " GV"),
        remedy="keep the break inside the grid, or set delta_h equal to delta for no break at all",
    )
