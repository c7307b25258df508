"""Tables of detectors in space and on balloons that are not part of the reference fit."""

from __future__ import annotations

from collections.abc import Iterable

from dataset_building.source_table import SourceTable

ALL_PUBLISHED = {"total": "all published systematic errors"}

_UNCHANGED = "Numbers unchanged."
_NO_EDGES = "Numbers unchanged; the source has no bin edges."
_RECONSTRUCTED = (
    "Numbers unchanged; bin edges are reconstructed: edges of a grid of ten bins per decade whose representative "
    "points agree with the source at four digits."
)
_NO_SYSTEMATICS = "The source gives no systematic error: only the statistical one is here, the total is larger."


def _tables(
    experiment: str,
    species: Iterable[str],
    *notes: str,
    prefix: str = "",
    systematics: dict[str, str] = ALL_PUBLISHED,
    more: dict[str, tuple[str, ...]] | None = None,
) -> list[SourceTable]:
    return [
        SourceTable(
            file=f"{prefix or experiment}_{element}.csv",
            experiment=experiment,
            species=element,
            quantity="flux",
            systematics=systematics,
            notes=notes,
            species_notes=(more or {}).get(element, ()),
        )
        for element in species
    ]


def _calet() -> list[SourceTable]:
    low = "The published level lies about 20% below AMS-02."
    added = "The systematic error is the published normalisation error and the energy-dependent one, in quadrature."
    return [
        *_tables("CALET", ("H", "He"), _RECONSTRUCTED),
        *_tables("CALET", ("B", "C", "O", "Fe"), _RECONSTRUCTED, low),
        *_tables("CALET", ("Ni",), _NO_EDGES),
        *_tables("CALET", ("Ti", "Cr"), "Flux and statistical errors unchanged.", added),
    ]


def _cream() -> list[SourceTable]:
    edges = "Numbers unchanged; bin edges are those of another export with the same fluxes."
    return [
        *_tables("CREAM-I+III", ("H", "He"), _RECONSTRUCTED),
        *_tables("CREAM-II", ("C", "N", "O"), edges),
        *_tables("CREAM-II", ("Ne", "Mg", "Si", "Fe"), _NO_EDGES),
        *_tables("ISS-CREAM", ("H",), _NO_EDGES, "The published level lies about 15% below other experiments."),
    ]


def _tracer() -> list[SourceTable]:
    jump = (
        "As in the source: 0.7 times AMS-02 below 2 GeV per nucleon, 1.7 (Ne) and 1.9 (Mg) times at 59 GeV per nucleon."
    )
    return [
        *_tables("TRACER", ("B", "C", "O", "Fe"), _NO_EDGES),
        *_tables(
            "TRACER",
            ("Ne", "Mg", "Si"),
            _NO_EDGES,
            _NO_SYSTEMATICS,
            systematics={},
            more={"Ne": (jump,), "Mg": (jump,)},
        ),
    ]


def _voyager() -> list[SourceTable]:
    elements = ("He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "S", "Fe", "Ni")
    outside = "Measured outside the heliosphere: the local interstellar spectrum, without solar modulation."
    return [
        SourceTable(
            file=f"Voyager1-2016_{element}.csv",
            experiment="Voyager 1",
            species=element,
            quantity="flux",
            systematics=ALL_PUBLISHED,
            notes=(
                outside,
                "Energies from MeV to GeV per nucleon. The published error is the total one; the statistical error is "
                "what the systematic one leaves of it in quadrature.",
                "Several telescopes measured, with overlapping bins; rows are sorted by energy, the flag names the "
                "telescope.",
            ),
            bins_overlap=True,
        )
        for element in elements
    ] + _tables(
        "Voyager 1",
        ("H",),
        outside,
        _NO_EDGES,
        _NO_SYSTEMATICS,
        "Hydrogen of the 2016 publication is not at hand; the other elements are.",
        prefix="Voyager1-2013",
        systematics={},
    )


def direct() -> tuple[SourceTable, ...]:
    """Return the tables, by experiment."""
    return (
        *_tables("ATIC-2", ("H", "He", "C", "O"), _NO_EDGES, _NO_SYSTEMATICS, systematics={}),
        *_tables("BESS-TeV", ("H", "He"), _NO_EDGES),
        *_calet(),
        *_cream(),
        *_tables("PAMELA", ("H", "He", "C"), _NO_EDGES),
        *_tracer(),
        *_voyager(),
    )
