"""What a user says about a table of one's own: what it measures, on which axis, in which units, who published it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ..errors import DataError, nearest
from .roles import ROLES, SYMMETRIC, column_roles, components, is_role, unknown_columns
from .schema import AXES, AXIS_NAMES, QUANTITIES, TRUTHS, axis_code, request, systematic_columns
from .units import UNIT_EXAMPLE, parse_unit
from .user_table import UserTable

RELATIVE_KINDS: Mapping[str, float] = MappingProxyType({"fraction": 1.0, "percent": 0.01})
CENTRES = ("geometric", "arithmetic")


@dataclass(frozen=True, kw_only=True)
class TableDescription:
    """Everything about a table that its columns do not say. Nothing is guessed: what is empty and needed is asked for.

    Attributes
    ----------
    experiment : str
        Who measured; the experiment of the likelihood file.
    species : str
        An element (``He``), a sum (``p+He``, ``all``), a ratio (``B/C``), or ``lnA``.
    quantity : {"flux", "ratio", "lnA"}, optional
        Follows from the species where it is empty.
    axis : {"R", "EK", "EKN", "ETOT"}
        What ``x`` is.
    unit_x, unit_value : str
        Units as astropy writes them; not needed for columns to which an ECSV header gives units. On the axis ``EKN``
        the unit is GeV, and a flux is per GeV per nucleon.
    reference : str
        Authors, journal and year.
    doi, arxiv, table : str
        Where exactly the numbers stand.
    name : str, optional
        Name of the table; by default experiment, species and hadronic model.
    hadronic_model : str, optional
        Interaction model that the measurement assumes.
    columns : mapping of str to str
        Column of the schema to column of the file. Columns that are called as in the schema need no entry.
        ``stat`` and ``systematic_<name>`` are errors that are the same on both sides.
    ignore : tuple of str
        Columns of the file that are left out.
    systematics : mapping of str to str
        What each systematic component contains.
    relative_errors : mapping of str to {"fraction", "percent"}
        Error columns (of the schema) that are given relative to the value.
    value_multiplied_by_x_to : float
        Power of ``x`` (in `unit_x`) by which the published value and its errors are multiplied, such as 2.7;
        `unit_value` is then the unit as published, such as ``GeV^1.7 m^-2 s^-1 sr^-1``.
    x_from_edges : {"", "geometric", "arithmetic"}
        Take the centre of the bin for ``x``, where only edges are published.
    no_statistical_errors : bool
        The publication gives no statistical errors: they are set to zero.
    bins_overlap : bool
        Several detectors measured bins that overlap; otherwise overlapping bins are a fault.
    mass_group : bool
        The flux is that of a group of elements that the species stands for, as air-shower experiments measure it.
    data_period : str
        Period of data taking.
    notes : str
        Remarks on the transcription.
    """

    experiment: str = ""
    species: str = ""
    quantity: str = ""
    axis: str = ""
    unit_x: str = ""
    unit_value: str = ""
    reference: str = ""
    doi: str = ""
    arxiv: str = ""
    table: str = ""
    name: str = ""
    hadronic_model: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    systematics: Mapping[str, str] = field(default_factory=dict)
    relative_errors: Mapping[str, str] = field(default_factory=dict)
    value_multiplied_by_x_to: float = 0.0
    x_from_edges: str = ""
    no_statistical_errors: bool = False
    bins_overlap: bool = False
    mass_group: bool = False
    data_period: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Missing:
    """Something that is needed and was not given.

    Attributes
    ----------
    key : str
        What `answer` takes.
    option : str
        How the command line gives it.
    question : str
        How to ask for it.
    """

    key: str
    option: str
    question: str


def with_header(description: TableDescription, table: UserTable) -> TableDescription:
    """Fill what the description leaves open from the header of an ECSV file.

    Raises
    ------
    DataError
        If both say something, and differ.
    """
    meta = dict(table.meta)
    if isinstance(meta.get("reference"), Mapping):
        meta.update({"doi": "", "arxiv": "", "table": ""} | dict(meta.pop("reference")))
        meta["reference"] = meta.pop("text", "")
    known = (
        "experiment",
        "species",
        "quantity",
        "axis",
        "reference",
        "doi",
        "arxiv",
        "table",
        "name",
        "hadronic_model",
    )
    filled: dict[str, str] = {}
    for key in known:
        said, given = str(meta.get(key) or ""), str(getattr(description, key))
        if said and given and said != given:
            raise DataError(
                f"--{_option(key)} {given!r}, but the file's header says {said!r}",
                where=str(table.path),
                remedy="leave the option out, or correct the header",
            )
        filled[key] = given or said
    found = meta.get("systematics")
    systematics = {**(found if isinstance(found, Mapping) else {}), **description.systematics}
    truths = {key: getattr(description, key) or meta.get(key) is True for key in TRUTHS}
    return replace(description, **filled, systematics=systematics, **truths)  # type: ignore[arg-type]


def missing(table: UserTable, description: TableDescription) -> list[Missing]:
    """List what is needed and was not given; columns first.

    Parameters
    ----------
    table : UserTable
        The file.
    description : TableDescription
        What the user said, with the file's header (`with_header`).

    Raises
    ------
    DataError
        As `column_roles` does.
    """
    roles = column_roles(table, description.columns, description.ignore)
    unknown = unknown_columns(table, description.columns, description.ignore)
    needed = [
        Missing(
            f"columns.{name}",
            f'--columns "NAME={name}" or --ignore "{name}"{_hint(name)}',
            f"What is column {name!r} ({', '.join(ROLES)}, or ignore)?",
        )
        for name in unknown
    ]
    if not unknown:
        needed += _missing_columns(roles, description)
    needed += _missing_text(description)
    for option, key, role in (("--unit-x", "unit_x", "x"), ("--unit-value", "unit_value", "value")):
        source = roles.get(role) or (roles.get("x_low") if role == "x" else None)
        plain = role == "value" and description.species and _quantity(description) != "flux"
        if not getattr(description, key) and table.units.get(source or "") is None and not plain:
            example = "such as GV or TeV" if role == "x" else f"such as {UNIT_EXAMPLE}"
            needed.append(Missing(key, f"{option} ({example})", f"Unit of {role}, {example}?"))
    for name in components(roles):
        if not str(description.systematics.get(name) or "").strip():
            needed.append(
                Missing(
                    f"systematics.{name}",
                    f'--systematic "{name}=WHAT IT CONTAINS"',
                    f"What does the systematic error {name!r} contain?",
                )
            )
    return needed


def _missing_columns(roles: Mapping[str, str], description: TableDescription) -> Iterator[Missing]:
    if "value" not in roles:
        yield Missing("columns", '--columns "value=NAME"', "")
    if "x" not in roles and not description.x_from_edges:
        if {"x_low", "x_high"} <= set(roles):
            yield Missing(
                "x_from_edges",
                f"--x-from-edges {' or '.join(CENTRES)}",
                "No column holds x. Which centre of the bin is it (geometric or arithmetic)?",
            )
        else:
            yield Missing("columns", '--columns "x=NAME"', "")
    if SYMMETRIC not in roles and not description.no_statistical_errors:
        sides = [side for side in ("low", "high") if f"stat_{side}" not in roles]
        if len(sides) == 2:
            yield Missing(
                "no_statistical_errors",
                '--columns "stat=NAME" (or stat_low and stat_high), or --no-statistical-errors if none are published',
                "No column holds statistical errors. Are there really none, so that they become zero (yes or no)?",
            )
        elif sides:
            yield Missing("columns", f'--columns "stat_{sides[0]}=NAME"', "")
    for name in components(roles):
        present = [column for column in systematic_columns(name) if column in roles]
        if len(present) == 1:
            absent = next(column for column in systematic_columns(name) if column not in roles)
            yield Missing("columns", f'--columns "{absent}=NAME"', "")


def _missing_text(description: TableDescription) -> Iterator[Missing]:
    axes = ", ".join(f"{code} ({AXIS_NAMES[code]})" for code in AXES)
    for key, example, question in (
        ("experiment", "WHO MEASURED", "Experiment?"),
        ("species", "He, p+He, all, B/C or lnA", "Species (an element such as He, p+He, all, a ratio as B/C, or lnA)?"),
        ("axis", ", ".join(AXES), f"Axis: {axes}?"),
        ("reference", "AUTHORS, JOURNAL, YEAR", "Reference (authors, journal, year)?"),
    ):
        if not str(getattr(description, key)).strip():
            yield Missing(key, f"--{key} ({example})", question)


def answer(description: TableDescription, key: str, text: str) -> TableDescription:
    """Put the answer to a question into a description.

    Parameters
    ----------
    description : TableDescription
        What was said so far.
    key : str
        `Missing.key`.
    text : str
        The answer.

    Raises
    ------
    DataError
        If it is no valid answer.
    """
    text = text.strip()
    group, _, name = key.partition(".")
    if group == "columns":
        if text == "ignore":
            return replace(description, ignore=(*description.ignore, name))
        if not is_role(text):
            raise DataError(f"the schema has no column {text!r}", remedy=nearest(text, [*ROLES, "ignore"]))
        if text in description.columns:
            raise DataError(
                f"column {description.columns[text]!r} is {text!r} already", remedy="give another one, or ignore"
            )
        return replace(description, columns={**description.columns, text: name})
    if group == "systematics":
        return replace(description, systematics={**description.systematics, name: text})
    if group == "no_statistical_errors":
        if text.lower() not in ("yes", "y"):
            raise DataError("a table needs statistical errors", remedy="stop, and add them to the file")
        return replace(description, no_statistical_errors=True)
    if group == "x_from_edges" and text not in CENTRES:
        raise DataError(f"unknown centre {text!r}", remedy=nearest(text, CENTRES))
    if group == "axis":
        text = axis_code(text)
    if group == "species":
        request(text)
    if group in ("unit_x", "unit_value"):
        parse_unit(text, group)
    return replace(description, **{group: text})  # type: ignore[arg-type]


def resolve_quantity(description: TableDescription, where: str) -> tuple[str, str]:
    """Species and quantity of a description.

    Raises
    ------
    DataError
        If the species is unknown, or does not fit the quantity.
    """
    try:
        species, implied = request(description.species)
    except DataError as error:
        raise DataError(f"--species: {error.problem}", where=where, remedy=error.remedy) from None
    wanted = description.quantity or implied
    if wanted not in QUANTITIES:
        raise DataError(f"--quantity: unknown quantity {wanted!r}", where=where, remedy=nearest(wanted, QUANTITIES))
    if wanted != implied and not (wanted == "lnA" and species == "all"):
        raise DataError(
            f"--quantity {wanted!r} does not fit --species {description.species!r}",
            where=where,
            remedy=f"leave --quantity out: the species says that it is a {implied}",
        )
    return species, wanted


def _hint(column: str) -> str:
    hint = nearest(column, ROLES).partition("? Valid names:")[0]
    return f" ({hint}?)" if hint.startswith("did you mean") else ""


def _quantity(description: TableDescription) -> str:
    return resolve_quantity(description, "")[1]


def _option(key: str) -> str:
    return key.replace("_", "-")
