"""Chooses tables of the registry: by what they measure, or by name and pattern."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase

from ..errors import DataError, nearest
from .registry import SpectrumEntry
from .schema import EXPERIMENT_ALIASES, QUANTITIES, STATUSES, axis_code, request

STATUSES_OR_ALL = (*STATUSES, "all")
"""What may be asked for: the tables to use, those that a newer publication replaces, or both."""


def measured(entry: SpectrumEntry) -> str:
    """What a table measures, in one word.

    Parameters
    ----------
    entry : SpectrumEntry
        A table.

    Returns
    -------
    str
        The species for a flux (``H``, ``p+He``, ``all``), both species for a ratio (``B/C``), or ``lnA``.
    """
    return "lnA" if entry.quantity == "lnA" else entry.species


def select_spectra(
    entries: Iterable[SpectrumEntry],
    *,
    experiment: str | None = None,
    species: str | None = None,
    axis: str | None = None,
    quantity: str | None = None,
    status: str = "all",
) -> tuple[SpectrumEntry, ...]:
    """Keep the tables that fit every given filter.

    Parameters
    ----------
    entries : iterable of SpectrumEntry
        Tables, from `stellarcr.data.list_spectra`.
    experiment : str, optional
        Such as ``"AMS-02"``; upper and lower case are the same.
    species : str, optional
        An element, a sum, a ratio such as ``"B/C"``, or ``"lnA"``; ``"p"``, ``"light"`` and ``"all-particle"`` are
        understood.
    axis : {"R", "EK", "EKN", "ETOT"}, optional
        The axis that the measurement was published on.
    quantity : str, optional
        ``"flux"``, ``"ratio"`` or ``"lnA"``; or what is measured, as `measured` says it.
    status : {"recommended", "superseded", "all"}
        Which versions of a measurement.

    Returns
    -------
    tuple of SpectrumEntry
        In the given order.

    Raises
    ------
    DataError
        If a filter leaves nothing, with the nearest values that would leave something.
    """
    left = list(entries)
    if status not in STATUSES_OR_ALL:
        raise DataError(f"unknown status {status!r}", remedy=nearest(status, STATUSES_OR_ALL))
    if experiment is not None:
        wanted = EXPERIMENT_ALIASES.get(experiment, experiment).casefold()
        left = _keep(
            left, "experiment", experiment, lambda e: e.experiment, lambda e: e.experiment.casefold() == wanted
        )
    if quantity is not None:
        left = _keep_quantity(left, quantity)
    if species is not None:
        left = _keep_species(left, "species", species)
    if axis is not None:
        code = axis_code(axis)
        left = _keep(left, "axis", axis, lambda e: e.axis, lambda e: e.axis == code)
    if status != "all":
        left = _keep(left, "status", status, lambda e: e.status, lambda e: e.status == status)
    return tuple(left)


def find_spectra(
    entries: Iterable[SpectrumEntry],
    names: Sequence[str],
    *,
    species: str | None = None,
    status: str = "recommended",
) -> dict[str, tuple[SpectrumEntry, ...]]:
    """Find tables by name or pattern.

    Parameters
    ----------
    entries : iterable of SpectrumEntry
        Tables, from `stellarcr.data.list_spectra`.
    names : sequence of str
        Names of tables, or patterns such as ``"*_H"``.
    species : str, optional
        What the tables that a pattern finds measure, as for `select_spectra`.
    status : {"recommended", "superseded", "all"}
        Which tables a pattern finds; a name finds its table whatever it measures and whatever its status.

    Returns
    -------
    dict of str to tuple of SpectrumEntry
        What every name or pattern found; a table that an earlier one found is not given again.

    Raises
    ------
    DataError
        If a name or pattern finds nothing, with the nearest names.
    """
    known = {entry.name: entry for entry in entries}
    if status not in STATUSES_OR_ALL:
        raise DataError(f"unknown status {status!r}", remedy=nearest(status, STATUSES_OR_ALL))
    fitting = {entry.name for entry in select_spectra(known.values(), species=species)}
    found: dict[str, tuple[SpectrumEntry, ...]] = {}
    seen: set[str] = set()
    for name in names:
        if name in known:
            matches = [known[name]]
        elif is_pattern(name):
            matches = [e for e in known.values() if fnmatchcase(e.name, name) and status in ("all", e.status)]
            matches = [e for e in matches if e.name in fitting]
        else:
            matches = []
        if not matches:
            raise _not_found(name, known, status, species)
        found[name] = tuple(entry for entry in matches if entry.name not in seen)
        seen.update(entry.name for entry in matches)
    return found


def is_pattern(name: str) -> bool:
    """Whether a name holds a character that stands for others: ``*``, ``?`` or ``[``."""
    return any(character in name for character in "*?[")


def _not_found(name: str, known: dict[str, SpectrumEntry], status: str, species: str | None) -> DataError:
    if not is_pattern(name):
        return DataError(f"no table is named {name!r}", remedy=_nearest_few(name, known))
    others = [e.name for e in known.values() if fnmatchcase(e.name, name)]
    if others:
        wanted = f"no {status} table" + (f" of {species}" if species else "")
        return DataError(
            f"{wanted} fits the pattern {name!r}; others do: {', '.join(others)}",
            remedy="choose another --status or --species, or give the names themselves",
        )
    return DataError(f"no table's name fits the pattern {name!r}", remedy=_nearest_few(name.strip("*?"), known))


def _nearest_few(name: str, known: Iterable[str]) -> str:
    # All names would be hundreds.
    hint = nearest(name, known).partition("? Valid names:")[0]
    listed = "'stellarcr data list' names all"
    return f"{hint}? ({listed})" if hint.startswith("did you mean") else listed


def _keep(
    entries: list[SpectrumEntry],
    key: str,
    value: str,
    read: Callable[[SpectrumEntry], str],
    fits: Callable[[SpectrumEntry], bool],
) -> list[SpectrumEntry]:
    found = [entry for entry in entries if fits(entry)]
    if not found:
        raise DataError(
            f"no table with {key} {value!r}",
            where=f"the {len(entries)} tables that fit the other filters",
            remedy=nearest(value, {read(entry) for entry in entries}),
        )
    return found


def _keep_species(entries: list[SpectrumEntry], key: str, value: str) -> list[SpectrumEntry]:
    try:
        wanted = request(value)
    except DataError:
        wanted = None
    return _keep(entries, key, value, measured, lambda e: (e.species, e.quantity) == wanted)


def _keep_quantity(entries: list[SpectrumEntry], value: str) -> list[SpectrumEntry]:
    kind = next((known for known in QUANTITIES if known.casefold() == value.casefold()), None)
    if kind is not None:
        return _keep(entries, "quantity", value, lambda e: e.quantity, lambda e: e.quantity == kind)
    return _keep_species(entries, "quantity", value)
