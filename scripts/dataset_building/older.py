"""Tables that a newer publication of the same experiment replaces: for comparison, never to be fitted with it."""

from __future__ import annotations

from dataset_building.direct import ALL_PUBLISHED
from dataset_building.source_table import SourceTable

_NO_SYSTEMATICS = "The source gives no systematic error: only the statistical one is here, the total is larger."
_LHAASO = {
    "total": "all published systematic errors of the measurement; the spread between hadronic interaction models "
    "is not in it (compare the tables of the models)"
}
_LHAASO_UNITS = "Bin edges from the published log10(E/PeV); flux and errors from per PeV to per GeV."


def _old(file: str, experiment: str, species: str, version: str, *notes: str, **more: object) -> SourceTable:
    systematics = more.pop("systematics", ALL_PUBLISHED)
    return SourceTable(
        f"alt/{file}.csv",
        experiment,
        species,
        "flux",
        systematics,  # type: ignore[arg-type]
        notes,
        status="superseded",
        version=version,
        **more,  # type: ignore[arg-type]
    )


def _ams() -> list[SourceTable]:
    edges = {
        **dict.fromkeys(
            ("B", "C", "O"),
            "Numbers unchanged; bin edges restored from the official rigidity binning, matched to the representative "
            "points at four digits.",
        ),
        **dict.fromkeys(("F", "Ne", "Mg", "Si"), "Numbers unchanged; the bin edges could not be restored."),
    }
    total = {"total": "all published systematic errors, the rigidity scale included: add no scale error on top"}
    return [
        _old(
            f"AMS-02-7yr_{element}",
            "AMS-02",
            element,
            "7yr",
            f"Superseded by AMS-02_{element}, which covers ten years.",
            note,
            systematics=total,
        )
        for element, note in edges.items()
    ]


def _dampe() -> list[SourceTable]:
    total = {"total": "systematic errors of the analysis and of the hadronic interaction models, combined"}
    return [
        _old(
            f"DAMPE{year}_{element}",
            "DAMPE",
            element,
            str(year),
            f"Superseded by DAMPE_{element}.",
            *notes,
            systematics=total,
        )
        for year, element, notes in (
            (
                2019,
                "H",
                (
                    "Numbers unchanged; bin edges as published, from another transcription.",
                    "A statistical error printed as 0 is rounded below its last digit; it is kept as 0 and flagged.",
                ),
            ),
            (2021, "He", ("Numbers unchanged; the source has no bin edges.",)),
        )
    ]


def _lhaaso() -> list[SourceTable]:
    preprint = [
        _old(
            f"LHAASO-2511.05013v1-{model}_{species}",
            "LHAASO",
            species,
            "2511.05013v1",
            f"Superseded by LHAASO_{species}_{model}: version 1 of the preprint; the journal's numbers differ.",
            _LHAASO_UNITS,
            systematics=_LHAASO,
            hadronic_model=model,
        )
        for model in ("EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d")
        for species in ("H", "He")
    ]
    protons = [
        _old(
            f"LHAASO2025-2505.14447-{model}_H",
            "LHAASO",
            "H",
            "2505.14447",
            f"Superseded by LHAASO_H_{model}: the table of the proton paper, 10% higher at 0.18 PeV and equal within "
            "4% above 2 PeV.",
            "The preprint's table; the journal's was not compared.",
            _LHAASO_UNITS,
            "The flag gives the number of events.",
            systematics=_LHAASO,
            hadronic_model=model,
        )
        for model in ("EPOS-LHC", "QGSJET-II-04")
    ]
    return preprint + protons


def older() -> tuple[SourceTable, ...]:
    """Return the tables, by experiment."""
    return (
        *_ams(),
        *_dampe(),
        *_lhaaso(),
        *(
            _old(
                f"Voyager1-2013_{element}",
                "Voyager 1",
                element,
                "2013",
                f"Superseded by Voyager-1_{element} of 2016.",
                "Measured outside the heliosphere: the local interstellar spectrum, without solar modulation.",
                "Numbers unchanged; the source has no bin edges.",
                _NO_SYSTEMATICS,
                systematics={},
            )
            for element in ("He", "C", "O")
        ),
    )
