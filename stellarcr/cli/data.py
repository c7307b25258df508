"""The registry of measured spectra: list, show, verify, plot, import."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson, ends, split

if TYPE_CHECKING:
    from ..data.description import TableDescription
    from ..data.user_table import UserTable

_TRIES = 3

Folder = Annotated[
    Path | None, typer.Option(help="Folder of tables to look into, instead of the shipped ones.", show_default=False)
]


def list_tables(
    experiment: Annotated[str | None, typer.Option(help="Such as AMS-02.")] = None,
    species: Annotated[
        str | None, typer.Option(help="Element, p+He (light), all (all-particle), a ratio such as B/C, or lnA.")
    ] = None,
    axis: Annotated[str | None, typer.Option(help="R [GV], EK [GeV], EKN [GeV/n] or ETOT [GeV].")] = None,
    quantity: Annotated[
        str | None, typer.Option(help="flux, ratio or lnA; or one measured thing, as --json names it.")
    ] = None,
    status: Annotated[str, typer.Option(help="recommended, superseded (by a newer table), or all.")] = "all",
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List the tables of measurements.

    --json prints objects with the keys name, experiment, quantity, axis, points, x_min, x_max [GV or GeV, as the axis
    says] and reference. There, quantity is what is measured: the species of a flux (H, p+He, all), the two species of
    a ratio (B/C), or lnA.
    """
    from ..data.registry import list_spectra
    from ..data.selecting import select_spectra
    from ..studies.registry import print_list

    entries = select_spectra(
        list_spectra(folder), experiment=experiment, species=species, axis=axis, quantity=quantity, status=status
    )
    print_list(entries, as_json)


def show(
    name: Annotated[str, typer.Argument(help="Name of a table, from 'stellarcr data list'.", metavar="NAME")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print one table: where it was published, how it was transcribed, and all its rows with units."""
    from ..studies.registry import print_table

    print_table(name, folder, as_json)


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Tables or patterns; by default all.", metavar="[NAME...]")
    ] = None,
    folder: Folder = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print faults only.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare the hashes of tables with SHA256SUMS, and validate every table for every fault.

    Ends with exit code 2 if there is a fault. A folder of your own needs no SHA256SUMS: its tables are validated.
    """
    from ..data.verification import verify as check
    from ..studies.registry import print_verification

    result = check(names or (), folder)
    print_verification(result, as_json, quiet)
    if not result:
        raise typer.Exit(2)


def plot(
    names: Annotated[list[str], typer.Argument(help="Tables, or patterns in quotes such as '*_H'.", metavar="NAME...")],
    scale: Annotated[
        float | None,
        typer.Option(help="Power of the axis that multiplies fluxes; by default 2.7.", show_default=False),
    ] = None,
    axis: Annotated[
        str | None,
        typer.Option(help="R [GV], EK [GeV], EKN [GeV/n] or ETOT [GeV]; by default the tables' own, or R."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; both .pdf and .png are written. Default: H_R.")
    ] = None,
    style: Annotated[str, typer.Option(help="one-column or two-column.")] = "two-column",
    folder: Annotated[
        Path | None, typer.Option(help="Folder of your own tables, besides the shipped ones.", show_default=False)
    ] = None,
    species: Annotated[
        str | None, typer.Option(help="Of the tables that a pattern finds, those of this species: H, B/C, lnA, ...")
    ] = None,
    status: Annotated[
        str, typer.Option(help="Which tables patterns find: recommended, superseded, or all.")
    ] = "recommended",
    span: Annotated[
        str | None, typer.Option("--range", help="Part of the axis to draw, such as 10:1e6.", show_default=False)
    ] = None,
) -> None:
    """Overlay measurements on one axis, as PDF and PNG.

    Dark bars are statistical errors, light ones total errors, arrows upper limits. Fluxes of one element move between
    axes with its dominant isotope; sums, ratios and lnA stay on their own axis.
    """
    from ..studies.registry import draw_tables

    x_range = None if span is None else ends(span, "10:1e6")
    draw_tables(names, axis, scale, style, output, folder, species, status, x_range)


def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV file with column names in its first line, or ECSV.", metavar="FILE")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into; made if needed.")],
    experiment: Annotated[str, typer.Option(help="Who measured.", show_default=False)] = "",
    species: Annotated[
        str, typer.Option(help="Element, p+He, all, a ratio such as B/C, or lnA.", show_default=False)
    ] = "",
    quantity: Annotated[
        str, typer.Option(help="flux, ratio or lnA; follows from the species.", show_default=False)
    ] = "",
    axis: Annotated[str, typer.Option(help="What x is: R, EK, EKN or ETOT.", show_default=False)] = "",
    unit_x: Annotated[str, typer.Option(help="Unit of x and its edges: GV, TeV, ...", show_default=False)] = "",
    unit_value: Annotated[
        str, typer.Option(help="Unit of value and errors, such as GeV^-1 cm^-2 s^-1 sr^-1.", show_default=False)
    ] = "",
    reference: Annotated[str, typer.Option(help="Authors, journal, year.", show_default=False)] = "",
    doi: Annotated[str, typer.Option(help="Digital object identifier.", show_default=False)] = "",
    arxiv: Annotated[str, typer.Option(help="arXiv number.", show_default=False)] = "",
    table: Annotated[str, typer.Option(help="Table of the publication.", show_default=False)] = "",
    hadronic_model: Annotated[
        str, typer.Option(help="Interaction model that the measurement assumes.", show_default=False)
    ] = "",
    data_period: Annotated[str, typer.Option(help="When the data were taken.", show_default=False)] = "",
    name: Annotated[
        str, typer.Option(help="Name of the table; by default EXPERIMENT_SPECIES[_MODEL].", show_default=False)
    ] = "",
    columns: Annotated[
        list[str] | None, typer.Option(help="Which column is which: 'x=E,value=flux,stat=err'. May be repeated.")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Columns to leave out, by commas. May be repeated.")] = None,
    systematic: Annotated[
        list[str] | None,
        typer.Option(help="What a systematic error contains: 'total=all of Table 2'. May be repeated."),
    ] = None,
    relative_errors: Annotated[
        str, typer.Option(help="Errors relative to the value: 'stat=percent,systematic_total=fraction'.")
    ] = "",
    value_multiplied_by_x_to: Annotated[
        float, typer.Option(help="The value is published times x to this power; its unit includes that.")
    ] = 0.0,
    x_from_edges: Annotated[
        str, typer.Option(help="Where only edges are published: geometric or arithmetic centre.", show_default=False)
    ] = "",
    no_statistical_errors: Annotated[
        bool, typer.Option("--no-statistical-errors", help="None are published: they become zero.")
    ] = False,
    bins_overlap: Annotated[
        bool, typer.Option("--bins-overlap", help="Several detectors measured bins that overlap.")
    ] = False,
    mass_group: Annotated[
        bool, typer.Option("--mass-group", help="The flux is of a group of elements; the species stands for it.")
    ] = False,
    notes: Annotated[str, typer.Option(help="Remarks on the transcription.", show_default=False)] = "",
    separator: Annotated[
        str, typer.Option(help="Between the cells of a CSV file: comma, semicolon, tab, space, bar.")
    ] = "comma",
    decimal_comma: Annotated[
        bool, typer.Option("--decimal-comma", help="Numbers of a CSV file are written with a comma: 2,7.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a table of the same name.")] = False,
) -> None:
    """Write a table of your own in stellarcr's format, so that it can be plotted and fitted.

    Columns called x, x_low, x_high, value, stat (or stat_low, stat_high), systematic_<name> (or ..._low, ..._high),
    upper_limit and flag are taken as they are; others are given by --columns or --ignore. Nothing is guessed: what is
    missing is asked for in a terminal, and listed with its option elsewhere.
    """
    from ..data.description import TableDescription
    from ..data.importing import import_table
    from ..data.schema import axis_code
    from ..data.user_table import read_user_table
    from ..studies.own_data import print_imported

    description = TableDescription(
        experiment=experiment,
        species=species,
        quantity=quantity,
        axis=axis_code(axis) if axis else "",
        unit_x=unit_x,
        unit_value=unit_value,
        reference=reference,
        doi=doi,
        arxiv=arxiv,
        table=table,
        name=name,
        hadronic_model=hadronic_model,
        columns=_pairs(",".join(columns or []).split(","), "--columns", "x=E,value=flux"),
        ignore=tuple(split(",".join(ignore or [])) or []),
        systematics=_pairs(systematic or [], "--systematic", "total=all of Table 2"),
        relative_errors=_pairs(relative_errors.split(","), "--relative-errors", "stat=percent"),
        value_multiplied_by_x_to=value_multiplied_by_x_to,
        x_from_edges=x_from_edges,
        no_statistical_errors=no_statistical_errors,
        bins_overlap=bins_overlap,
        mass_group=mass_group,
        data_period=data_period,
        notes=notes,
    )
    if sys.stdin.isatty():
        description = _ask(description, read_user_table(file, separator, decimal_comma))
    imported = import_table(
        file, output, description, separator=separator, decimal_comma=decimal_comma, overwrite=overwrite
    )
    print_imported(imported, output)


def _pairs(parts: list[str], option: str, example: str) -> dict[str, str]:
    """Read KEY=TEXT, several times."""
    from ..errors import DataError

    pairs: dict[str, str] = {}
    for part in parts:
        if not part.strip():
            continue
        key, sign, text = (piece.strip() for piece in part.partition("="))
        if not (key and sign and text):
            raise DataError(f"{option}: {part.strip()!r} is no pair", remedy=f"write it like '{example}'")
        if key in pairs:
            raise DataError(f"{option} gives {key!r} twice", remedy="give it once")
        pairs[key] = text
    return pairs


def _ask(description: TableDescription, source: UserTable) -> TableDescription:
    """Ask for what is missing, as far as a question can bring it."""
    from ..data.description import answer, missing, with_header
    from ..errors import DataError

    tries = 0
    while True:
        questions = [item for item in missing(source, with_header(description, source)) if item.question]
        if not questions:
            return description
        try:
            description = answer(description, questions[0].key, typer.prompt(questions[0].question))
            tries = 0
        except DataError as error:
            tries += 1
            if tries == _TRIES:
                raise
            typer.echo(str(error), err=True)


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    group = typer.Typer(help="Measured spectra: list, show, verify, plot, import.", no_args_is_help=True)
    group.command("list")(list_tables)
    group.command()(show)
    group.command()(verify)
    group.command()(plot)
    group.command("import")(import_)
    app.add_typer(group, name="data", rich_help_panel=None)
