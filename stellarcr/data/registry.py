"""Finds tables of measured spectra by what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, nearest
from .content import content_path
from .headers import read_reference, split_ecsv
from .schema import AXES, EXPERIMENT_ALIASES, SCHEMA, check_axis, check_species, check_status, request

if TYPE_CHECKING:
    from .spectrum import Spectrum


@dataclass(frozen=True)
class SpectrumEntry:
    """What the registry knows about a table without reading its rows.

    Attributes
    ----------
    name, experiment, species, quantity, axis : str
        As in `Spectrum`.
    hadronic_model : str or None
        Interaction model that the measurement assumes.
    points : int
        Number of points.
    x_min, x_max : float
        Range [GV or GeV as the table says]: outer bin edges, or outer points where no edges are published.
    reference : str
        Where it was published.
    path : pathlib.Path
        The file.
    status : {"recommended", "superseded"}
        A superseded table is an older version of a measurement that another table replaces.
    data_period : str
        Period of data taking, empty where the header does not say.
    """

    name: str
    experiment: str
    species: str
    quantity: str
    axis: str
    hadronic_model: str | None
    points: int
    x_min: float
    x_max: float
    reference: str
    path: Path
    status: str = "recommended"
    data_period: str = ""


def list_spectra(folder: str | Path | None = None) -> tuple[SpectrumEntry, ...]:
    """List the tables of measured spectra in a folder and the folders in it.

    Parameters
    ----------
    folder : str or pathlib.Path, optional
        Default: the tables that stellarcr comes with.

    Returns
    -------
    tuple of SpectrumEntry
        Sorted by experiment, quantity, species and hadronic model, superseded tables last. All of them: choose by
        `SpectrumEntry.status`.

    Raises
    ------
    DataError
        If the folder does not exist, a header in it is damaged, or two tables have one name.
    """
    root = content_path("datasets", "spectra") if folder is None else Path(folder)
    if not root.is_dir():
        raise DataError("no such folder of tables", where=str(root), remedy="check the path")
    entries: dict[str, SpectrumEntry] = {}
    for path in sorted(root.rglob("*.ecsv")):
        status = path.stat()
        entry = _read_entry(path, status.st_mtime_ns, status.st_size)
        if entry.name in entries:
            raise DataError(
                f"two tables are named {entry.name!r}",
                where=f"{entries[entry.name].path} and {path}",
                remedy="give each table its own name in the header",
            )
        entries[entry.name] = entry
    return tuple(
        sorted(
            entries.values(),
            key=lambda e: (e.experiment, e.quantity, e.species, e.hadronic_model or "", e.status, e.name),
        )
    )


def load_spectrum(
    experiment: str,
    species: str,
    hadronic_model: str | None = None,
    axis: str | None = None,
    folder: str | Path | None = None,
    status: str | None = "recommended",
) -> Spectrum:
    """Load one measured spectrum.

    Parameters
    ----------
    experiment : str
        Such as ``"AMS-02"``, ``"DAMPE"``, ``"LHAASO"``, ``"NUCLEON"``.
    species : str
        An element (``"He"``), ``"p+He"`` or ``"all"``; ``"p"``, ``"light"`` and ``"all-particle"`` are understood.
        ``"B/C"`` loads a ratio and ``"lnA"`` the mean logarithmic mass instead of a flux.
    hadronic_model : str, optional
        Needed where an experiment publishes the same spectrum for several interaction models.
    axis : {"R", "EK", "EKN", "ETOT"}, optional
        Needed where a spectrum is published on several axes.
    folder : str or pathlib.Path, optional
        Where to look (folders in it included); default: the tables that stellarcr comes with.
    status : {"recommended", "superseded"} or None
        Which tables are considered. A superseded one is an older version of a measurement; never fit both. None
        considers all.

    Returns
    -------
    Spectrum
        The measurement.

    Raises
    ------
    DataError
        If nothing fits (with the nearest names), if several tables fit (with what tells them apart), or if the
        table is damaged.

    Examples
    --------
    >>> from stellarcr.data import load_spectrum
    >>> load_spectrum("AMS-02", "He").axis
    'R'
    """
    from .tables import load_table  # loads astropy, which a listing does without

    entries = list_spectra(folder)
    where = "the tables of stellarcr" if folder is None else str(folder)
    if experiment not in {e.experiment for e in entries}:
        experiment = EXPERIMENT_ALIASES.get(experiment, experiment)
    found = _narrow(entries, "experiment", experiment, where)
    if status is not None:
        found = _narrow(found, "status", check_status(status), f"{where}, experiment {experiment!r}")
    where = f"{where}, experiment {experiment!r}"
    found = _narrow_species(found, species, where)
    where = f"{where}, species {species!r}"
    if hadronic_model is not None:
        found = _narrow(found, "hadronic_model", hadronic_model, where)
    if axis is not None:
        found = _narrow(found, "axis", check_axis(axis), where)
    if len(found) > 1:
        raise _ambiguous(found, where)
    return load_table(found[0].path)


def _narrow(entries: Iterable[SpectrumEntry], key: str, value: str, where: str) -> list[SpectrumEntry]:
    entries = list(entries)
    found = [e for e in entries if getattr(e, key) == value]
    if not found:
        valid = {getattr(e, key) for e in entries} - {None}
        raise DataError(
            f"no table with {key.replace('_', ' ')} {value!r}",
            where=where,
            remedy=nearest(value, valid) if valid else f"leave {key!r} out: these tables have none",
        )
    return found


def _narrow_species(entries: list[SpectrumEntry], species: str, where: str) -> list[SpectrumEntry]:
    try:
        wanted = request(species)
    except DataError:
        wanted = None
    found = [e for e in entries if (e.species, e.quantity) == wanted]
    if not found:
        valid = {"lnA" if e.quantity == "lnA" else e.species for e in entries}
        raise DataError(f"no table of species {species!r}", where=where, remedy=nearest(species, valid))
    return found


def _ambiguous(found: list[SpectrumEntry], where: str) -> DataError:
    for key in ("hadronic_model", "axis", "status"):
        values = sorted({str(getattr(e, key)) for e in found})
        if len(values) > 1:
            return DataError(
                f"{len(found)} tables fit; they differ in {key!r}",
                where=where,
                remedy=f"give {key}= one of {', '.join(repr(value) for value in values)}",
            )
    listed = "; ".join(f"{e.name} ({_told_apart(e, found)})" for e in found)
    return DataError(
        f"{len(found)} tables fit: {listed}",
        where=where,
        remedy="load one of them by its file with load_table(path)",
    )


def _told_apart(entry: SpectrumEntry, others: list[SpectrumEntry]) -> str:
    """What distinguishes a table from others of the same measurement: data period and reference, else its file."""
    parts = []
    if len({e.data_period for e in others}) > 1:
        parts.append(f"data of {entry.data_period}" if entry.data_period else "no data period given")
    if len({e.reference for e in others}) > 1:
        parts.append(entry.reference)
    return ", ".join(parts) or entry.path.name


@lru_cache(maxsize=2048)
def _read_entry(path: Path, modified: int, size: int) -> SpectrumEntry:
    """Read the header and the outer rows; time and size of the file are there to notice that it changed."""
    try:
        return _parse_entry(path)
    except Exception as error:  # whatever is wrong with the file, load_table says it precisely
        from .tables import load_table

        load_table(path)
        raise DataError(f"the header cannot be read: {error}", where=str(path), remedy="correct it") from error


def _parse_entry(path: Path) -> SpectrumEntry:
    header, names, rows = split_ecsv(path.read_text(encoding="utf-8"))
    meta = dict(header["meta"])
    if meta["schema"] != SCHEMA:
        raise DataError(f"schema is {meta['schema']!r}, not {SCHEMA!r}")
    column = {name: i for i, name in enumerate(names)}
    axis = check_axis(str(meta["axis"]))
    unit = next(item.get("unit") for item in header["datatype"] if item["name"] == "x")
    scale = 1.0 if unit == AXES[axis] else _scale(unit, AXES[axis])
    first, last = rows[0], rows[-1]
    return SpectrumEntry(
        name=str(meta["name"]),
        experiment=str(meta["experiment"]),
        species=check_species(str(meta["species"])),
        quantity=str(meta["quantity"]),
        axis=axis,
        hadronic_model=str(meta.get("hadronic_model") or "") or None,
        points=len(rows),
        x_min=scale * _edge_or_point(first[column["x_low"]], first[column["x"]]),
        x_max=scale * _edge_or_point(last[column["x_high"]], last[column["x"]]),
        reference=str(read_reference(meta["reference"])),
        path=path,
        status=check_status(str(meta.get("status") or "recommended")),
        data_period=str(meta.get("data_period") or ""),
    )


def _scale(unit: str, wanted: str) -> float:
    from astropy import units as u

    return float(u.Unit(unit).to(wanted))


def _edge_or_point(edge: str, point: str) -> float:
    return float(point) if edge in ("", "nan") else float(edge)
