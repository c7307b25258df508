"""Checks whole folders of tables: hashes against the list that comes with them, and every table for every fault."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..errors import DataError, nearest
from .content import content_path
from .headers import split_ecsv
from .schema import SCHEMA
from .tables import read_ecsv
from .validation import faults

SUMS = "SHA256SUMS"
"""Name of the list of hashes, in the form that ``sha256sum -c`` reads."""

OTHER_SCHEMAS = ("stellarcr-composition", "stellarcr-yields", "stellarcr-nuclear", "stellarcr-nearby")
"""Tables of other kinds, which have readers of their own; their hashes are compared."""

ROW_FAULT = re.compile(r"^row (?P<row>\d+), column '(?P<column>[^']*)': '?(?P<value>[^\s']+)'?\s*(?P<problem>.*)$")
"""How a fault of one cell is worded: row counted from 1, column, value, and what is wrong with it."""

_COLUMN = re.compile(r"column '(?P<column>[^']*)'")
_SUM = re.compile(r"^(?P<digest>[0-9a-f]{64}) [ *](?P<name>\S.*)$")


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a table.

    Attributes
    ----------
    file : str
        The file.
    row : int or None
        Row, counted from 1 below the column names; None if the fault is in no row.
    column : str or None
        Column; None if the fault is in no column.
    value : str or None
        What stands in the cell; None if the fault is in no cell.
    problem : str
        What is wrong, with place and value.
    remedy : str
        What to do.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    problem: str
    remedy: str

    @classmethod
    def of(cls, error: DataError) -> Fault:
        """Take an error apart."""
        cell = ROW_FAULT.match(error.problem)
        if cell:
            place: tuple[int | None, str | None, str | None] = (int(cell["row"]), cell["column"], cell["value"])
        else:
            column = _COLUMN.search(error.problem)
            place = (None, column["column"] if column else None, None)
        return cls(error.where, *place, error.problem, error.remedy)


@dataclass(frozen=True)
class Verification:
    """What was checked, and what was found.

    Attributes
    ----------
    folder : pathlib.Path
        The folder.
    tables : int
        Number of tables.
    points : int
        Number of points in tables of spectra that can be read.
    hashed : int or None
        Number of files whose hash was compared; None if the folder has no list of hashes.
    faults : tuple of Fault
        Everything that is wrong; empty if nothing is.
    """

    folder: Path
    tables: int
    points: int
    hashed: int | None
    faults: tuple[Fault, ...]

    def __bool__(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


@dataclass(frozen=True)
class TableFile:
    """A file with the name and schema that its header gives.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    name, schema : str
        From the header; the file's stem and the schema of spectra where the header cannot be read.
    """

    path: Path
    name: str
    schema: str


def verify(names: Sequence[str] = (), folder: str | Path | None = None) -> Verification:
    """Check the hashes of tables, and validate every table of a spectrum for every fault.

    Parameters
    ----------
    names : sequence of str
        Names of tables, or patterns such as ``"AMS-02_*"``; all tables by default.
    folder : str or pathlib.Path, optional
        A folder of tables, folders in it included. By default all that stellarcr comes with: spectra are hashed and
        validated, compositions and yields are hashed. Hashes are compared if the folder holds a file ``SHA256SUMS``.

    Returns
    -------
    Verification
        True if there is no fault.

    Raises
    ------
    DataError
        If there is no such folder, no table in it, or none with a given name.

    Examples
    --------
    >>> from stellarcr.data import verify
    >>> bool(verify(["AMS-02_He"]))
    True
    """
    root = content_path("datasets") if folder is None else Path(folder)
    if not root.is_dir():
        raise DataError("no such folder of tables", where=str(root), remedy="check the path")
    paths = sorted(root.rglob("*.ecsv"))
    if not paths:
        raise DataError("no table (*.ecsv) in this folder", where=str(root), remedy="check the path")
    files = [identify(path) for path in paths]
    found: list[Fault] = []
    sums, broken = _read_sums(root)
    if names:
        listed = {Path(name).stem for name in sums or {}}
        files, gone = _named(files, names, listed, root)
        sums = _only(sums, {*(file.path.relative_to(root).as_posix() for file in files), *gone})
    else:
        found += broken
        found += _not_listed(files, sums, root)
    points = 0
    contents: dict[Path, str] = {}
    for file in files:
        count, digest, wrong = _check(file)
        points += count
        contents[file.path] = digest
        found += wrong
    found += _wrong_hashes(root, sums, contents)
    found += _duplicates(files)
    return Verification(root, len(files), points, None if sums is None else len(sums), tuple(found))


def identify(path: Path) -> TableFile:
    """Read name and schema of a table as far as the header can be read.

    Parameters
    ----------
    path : pathlib.Path
        An ECSV file, possibly damaged: `verify` says what is wrong with it.
    """
    try:
        meta: Mapping[str, Any] = dict(split_ecsv(path.read_text(encoding="utf-8"))[0]["meta"])
        return TableFile(path, str(meta.get("name") or path.stem), str(meta.get("schema", SCHEMA)))
    except Exception:  # a damaged file is reported by its path
        return TableFile(path, path.stem, SCHEMA)


def _check(file: TableFile) -> tuple[int, str, list[Fault]]:
    """Points, hash and faults of one file."""
    try:
        content = file.path.read_bytes()
    except OSError as error:
        unreadable = DataError(
            f"cannot read the table: {error.strerror}", where=str(file.path), remedy="check the file"
        )
        return 0, "", [Fault.of(unreadable)]
    digest = hashlib.sha256(content).hexdigest()
    if file.schema.partition("/")[0] in OTHER_SCHEMAS:
        return 0, digest, []
    try:
        table, _ = read_ecsv(file.path)
    except DataError as error:
        return 0, digest, [Fault.of(error)]
    return len(table), digest, [Fault.of(fault) for fault in faults(table, where=str(file.path))]


def _named(
    files: Sequence[TableFile], names: Sequence[str], listed: set[str], root: Path
) -> tuple[list[TableFile], set[str]]:
    """Files that are asked for, and the listed ones among the names that do not exist."""
    chosen: dict[Path, TableFile] = {}
    gone: set[str] = set()
    for name in names:
        hits = [f for f in files if fnmatchcase(f.name, name) or fnmatchcase(f.path.stem, name)]
        lost = {stem for stem in listed if fnmatchcase(stem, name)} - {f.path.stem for f in files}
        if not hits and not lost:
            known = {f.name for f in files}
            hint = nearest(name, known).partition("? Valid names:")[0]
            remedy = f"{hint}?" if hint.startswith("did you mean") else "'stellarcr data list' names all"
            raise DataError(f"no table is named {name!r}", where=str(root), remedy=remedy)
        chosen.update({f.path: f for f in hits})
        gone |= lost
    return list(chosen.values()), gone


def _only(sums: dict[str, str] | None, wanted: set[str]) -> dict[str, str] | None:
    if sums is None:
        return None
    return {name: digest for name, digest in sums.items() if name in wanted or Path(name).stem in wanted}


def _read_sums(root: Path) -> tuple[dict[str, str] | None, list[Fault]]:
    """Hashes by file; None if the folder has no list."""
    path = root / SUMS
    if not path.is_file():
        return None, []
    sums, found = {}, []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        match = _SUM.match(line)
        if match:
            sums[match["name"]] = match["digest"]
        elif line.strip():
            found.append(
                Fault(
                    str(path), number, None, line, f"line {number} is no hash and file name: {line[:80]!r}",
                    f"restore {SUMS} from the installation or the repository",
                )
            )  # fmt: skip
    return sums, found


def _not_listed(files: Sequence[TableFile], sums: dict[str, str] | None, root: Path) -> Iterator[Fault]:
    for file in files:
        name = file.path.relative_to(root).as_posix()
        if sums is not None and name not in sums:
            yield Fault(
                str(file.path), None, None, None, f"the file is not listed in {SUMS}",
                "keep your own tables in a folder of your own; or add its hash if it belongs here",
            )  # fmt: skip


def _wrong_hashes(root: Path, sums: dict[str, str] | None, contents: Mapping[Path, str]) -> Iterator[Fault]:
    for name, digest in (sums or {}).items():
        path = root / name
        if not path.is_file():
            yield Fault(
                str(path), None, None, None, f"the file is listed in {SUMS} but missing",
                "restore it from the installation or the repository",
            )  # fmt: skip
            continue
        found = contents.get(path) or hashlib.sha256(path.read_bytes()).hexdigest()
        if found != digest:
            yield Fault(
                str(path), None, None, found, f"the file was changed: its SHA-256 is {found[:12]}..., "
                f"{SUMS} says {digest[:12]}...", "restore it from the installation or the repository",
            )  # fmt: skip


def _duplicates(files: Sequence[TableFile]) -> Iterator[Fault]:
    first: dict[str, Path] = {}
    for file in files:
        if file.name in first:
            yield Fault(
                str(file.path), None, None, file.name,
                f"two tables are named {file.name!r}; the other one is {first[file.name]}",
                "give each table its own name in the header",
            )  # fmt: skip
        first.setdefault(file.name, file.path)
