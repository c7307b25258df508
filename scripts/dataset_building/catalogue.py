"""Which source tables become which tables of ``datasets/spectra``, and what a reader should know of them."""

from __future__ import annotations

from dataset_building.direct import direct
from dataset_building.older import older
from dataset_building.ratios import ratios
from dataset_building.showers import showers
from dataset_building.source_table import SourceTable

HADRONIC_MODELS = ("EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d")


_LHAASO_SYSTEMATICS = {
    "total": "all published systematic errors of the measurement; the spread between hadronic interaction models "
    "is not in it (compare the tables of the three models)"
}
_LHAASO_LIGHT_NOTES = (
    "Bin edges from the published log10(E/PeV); flux and errors from per PeV to per GeV.",
    "He is p+He minus H, bin by bin: the three tables are not independent, errors of H and He are anti-correlated.",
)
_LHAASO_ALL_NOTES = ("Bin edges from the published log10(E/GeV); numbers unchanged.",)

_DAMPE_SYSTEMATICS = {
    "analysis": "systematic error of the analysis as published",
    "hadronic": "systematic error from the hadronic interaction models as published",
}
_DAMPE_NOTES = ("Numbers unchanged; analysis and hadronic systematic errors as two columns.",)
_DAMPE_POINT_NOTE = "Representative points are computed here from the bin edges, the paper gives none."

_AMS_NOTES = (
    "Numbers unchanged; bin edges restored from the official rigidity binning, matched to the representative "
    "points at four digits.",
)
_AMS_ZERO_NOTE = (
    "A statistical error printed as 0 is below half of the last digit of the flux, at most 5% of the systematic "
    "error of its row; it is kept as 0 and flagged.",
)
_AMS_CITATION_NOTE = (
    "Assigned to the ten-year data (2011/05-2021/05) by the data base's sub-experiment key; the transcription's own "
    "header names another paper.",
)
_NUCLEON_NOTES = ("Numbers unchanged; points are spaced by 0.2 in log10(E), no bin edges are published with them.",)


def _lhaaso() -> list[SourceTable]:
    tables = []
    for model in HADRONIC_MODELS:
        for suffix, species in (("H", "H"), ("He", "He"), ("pHe", "p+He"), ("all", "all"), ("lnA", "all")):
            light = suffix in ("H", "He", "pHe")
            tables.append(
                SourceTable(
                    file=f"{'lnA/' if suffix == 'lnA' else ''}LHAASO-{model}_{suffix}.csv",
                    experiment="LHAASO",
                    species=species,
                    quantity="lnA" if suffix == "lnA" else "flux",
                    hadronic_model=model,
                    systematics=_LHAASO_SYSTEMATICS,
                    notes=_LHAASO_LIGHT_NOTES if light else _LHAASO_ALL_NOTES,
                )
            )
    return tables


def _dampe() -> list[SourceTable]:
    more = {
        "p+He": ("The axis is the primary energy of p+He, taken as total energy.",),
        "B": ("The paper converts to energy per nucleon with a mean mass number of 10.7.",),
    }
    return [
        SourceTable(
            file=f"DAMPE_{species.replace('p+He', 'pHe')}.csv",
            experiment="DAMPE",
            species=species,
            quantity="flux",
            systematics=_DAMPE_SYSTEMATICS,
            notes=_DAMPE_NOTES,
            species_notes=more.get(species, (_DAMPE_POINT_NOTE,)),
        )
        for species in ("H", "He", "C", "O", "Fe", "p+He", "B")
    ]


def _ams() -> list[SourceTable]:
    total = {"total": "all published systematic errors, the rigidity scale included: add no scale error on top"}
    more = {"H": _AMS_ZERO_NOTE, "He": _AMS_ZERO_NOTE}
    more |= dict.fromkeys(("B", "C", "O", "F", "Ne", "Mg", "Si", "S"), _AMS_CITATION_NOTE)
    species = ("H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "S", "Fe")
    return [
        SourceTable(
            file=f"AMS-02_{element}.csv",
            experiment="AMS-02",
            species=element,
            quantity="flux",
            systematics=total,
            notes=_AMS_NOTES,
            species_notes=more.get(element, ()),
        )
        for element in species
    ]


def _nucleon() -> list[SourceTable]:
    more = {"Fe": ("The published level lies about 40% below other experiments.",)}
    return [
        SourceTable(
            file=f"NUCLEON-KLEM_{species}.csv",
            experiment="NUCLEON",
            species=species,
            quantity="flux",
            systematics={"total": "all published systematic errors"},
            notes=_NUCLEON_NOTES,
            species_notes=more.get(species, ()),
            analysis="KLEM",
        )
        for species in ("H", "He", "C", "O", "Ne", "Mg", "Si", "Fe", "all")
    ]


def catalogue() -> tuple[SourceTable, ...]:
    """Return every source table that becomes a table: the reference fit's, other experiments', ratios, older ones."""
    return (*_ams(), *_dampe(), *_lhaaso(), *_nucleon(), *direct(), *showers(), *ratios(), *older())
