"""Tables of air-shower experiments that are not part of the reference fit."""

from __future__ import annotations

from dataset_building.direct import ALL_PUBLISHED
from dataset_building.source_table import SourceTable

_UNCHANGED = "Numbers unchanged."
_NO_EDGES = "Numbers unchanged; the source has no bin edges."
_NO_SYSTEMATICS = "The source gives no systematic error: only the statistical one is here, the total is larger."
_NO_MODEL = "The source of this table does not name the hadronic interaction model."


def _one(file: str, experiment: str, species: str, *notes: str, **more: object) -> SourceTable:
    systematics = more.pop("systematics", ALL_PUBLISHED)
    return SourceTable(f"{file}.csv", experiment, species, "flux", systematics, notes, **more)  # type: ignore[arg-type]


def _kascade() -> list[SourceTable]:
    first = "The unfolding of 2005; the re-analysis of 2024 of the same experiment has another hadronic model."
    limits = "Rows whose lower error equals the flux and whose upper error is 0 are upper limits."
    tables = [
        _one(
            f"KASCADE2005-{file}_{species}",
            "KASCADE",
            species,
            first,
            _NO_EDGES,
            _NO_SYSTEMATICS,
            limits,
            systematics={},
            hadronic_model=model,
            analysis="unfolding of 2005",
        )
        for file, model in (("QGSJET01", "QGSJET-01"), ("SIBYLL2.1", "SIBYLL-2.1"))
        for species in ("H", "He")
    ]
    again = "The re-analysis of 2024; the unfolding of 2005 of the same experiment has other hadronic models."
    edges = "Bin edges from the published log10(E/GeV); numbers unchanged."
    analysis = {"analysis": "basic systematic errors as published"}
    group = (
        "The species stands for a group of elements: the fluxes of H, He, C, Si and Fe of this analysis add up to "
        "that of all particles."
    )
    groups = ("C", "Si", "Fe")
    tables += [
        _one(
            f"KASCADE2024_{species}",
            "KASCADE",
            species,
            again,
            edges,
            "Fluxes of elements come without a systematic error of the hadronic interaction model.",
            *([group] if species in groups else []),
            mass_group=species in groups,
            systematics=analysis,
            columns={"analysis": "sys"},
            hadronic_model="QGSJET-II-04",
            analysis="re-analysis of 2024",
        )
        for species in ("H", "He", *groups)
    ]
    both = analysis | {"hadronic": "theoretical error (hadronic interaction models) as published"}
    tables += [
        SourceTable(
            file=file,
            experiment="KASCADE",
            species="all",
            quantity=quantity,
            systematics=both,
            notes=(
                again,
                edges,
                "The hadronic error is recovered from the quadrature sum of both components, to the digits that "
                "reproduce the sum.",
            ),
            columns={"analysis": "sys_ana", "hadronic": "remainder"},
            hadronic_model="QGSJET-II-04",
            analysis="re-analysis of 2024",
        )
        for file, quantity in (("KASCADE2024_all.csv", "flux"), ("lnA/KASCADE2024_lnA.csv", "lnA"))
    ]
    return tables


def _kascade_grande() -> list[SourceTable]:
    low = "The published level lies low against other experiments."
    return [
        _one(
            f"KASCADE-Grande-{file}_{species.replace('p+He', 'pHe')}",
            "KASCADE-Grande",
            species,
            _NO_EDGES,
            low,
            *([] if systematics else [_NO_SYSTEMATICS]),
            systematics=systematics,
            hadronic_model=model,
        )
        for file, model, kinds, systematics in (
            ("QGSJETII04", "QGSJET-II-04", ("p+He", "all"), ALL_PUBLISHED),
            ("SIBYLL2.3", "SIBYLL-2.3", ("H", "all"), {}),
        )
        for species in kinds
    ]


def _icetop() -> list[SourceTable]:
    missing = "Rows that came without errors are missing in the source of this table."
    zero = "A row with a lower systematic error of 0 has it in the source."
    return [
        *(
            _one(
                f"IceCube-IceTop-SIBYLL2.1_{species}",
                "IceCube-IceTop",
                species,
                _UNCHANGED,
                *{"H": (zero,), "He": (missing, zero)}.get(species, ()),
                hadronic_model="SIBYLL-2.1",
            )
            for species in ("H", "He", "all")
        ),
        *(
            _one(
                f"IceTop-lowE-{file}_all",
                "IceTop",
                "all",
                _NO_EDGES,
                hadronic_model=model,
                analysis="low-energy extension",
            )
            for file, model in (("QGSJETII04", "QGSJET-II-04"), ("SIBYLL2.1", "SIBYLL-2.1"))
        ),
    ]


def _tibet() -> list[SourceTable]:
    return [
        _one(
            f"Tibet-III-{model.replace('+', '_')}_all",
            "Tibet-III",
            "all",
            _NO_EDGES,
            _NO_SYSTEMATICS,
            "HD and PD are the two composition models of the analysis; the three tables are one measurement.",
            "The uncertainty of the source is taken as statistical; another transcription calls it systematic.",
            systematics={},
            hadronic_model=model,
        )
        for model in ("QGSJET+HD", "QGSJET+PD", "SIBYLL+HD")
    ]


def showers() -> tuple[SourceTable, ...]:
    """Return the tables, by experiment."""
    return (
        _one(
            "GRAPES-3_H",
            "GRAPES-3",
            "H",
            "Numbers unchanged; bin edges deduced: the published energy is the logarithmic middle of a bin of 0.2 in "
            "log10(E).",
            _NO_MODEL,
        ),
        _one("HAWC_all", "HAWC", "all", "Energies from TeV to GeV; fluxes unchanged.", _NO_MODEL),
        _one(
            "HAWC_pHe",
            "HAWC",
            "p+He",
            "Numbers unchanged; points are spaced by 0.2 in log10(E), no bin edges are published with them.",
            _NO_MODEL,
        ),
        _one("HESS_Fe", "H.E.S.S.", "Fe", _NO_EDGES, _NO_MODEL),
        *_icetop(),
        *_kascade(),
        *_kascade_grande(),
        _one("TALE_all", "TALE", "all", _NO_EDGES, _NO_MODEL),
        SourceTable(
            file="lnA/TALE_lnA.csv",
            experiment="TALE",
            species="all",
            quantity="lnA",
            systematics=ALL_PUBLISHED,
            notes=("Energies from eV to GeV; numbers unchanged.", _NO_MODEL),
        ),
        *_tibet(),
        *(
            _one(f"TUNKA-133_{species}", "TUNKA-133", species, _NO_EDGES, hadronic_model="QGSJET-01")
            for species in ("H", "He")
        ),
        _one("TUNKA-133_all", "TUNKA-133", "all", _NO_EDGES, _NO_MODEL),
    )
