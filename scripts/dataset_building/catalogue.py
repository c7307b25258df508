"""Which source tables become which tables of ``datasets/spectra``, and what a reader should know of them."""

from __future__ import annotations

from dataclasses import dataclass, field

HADRONIC_MODELS = ("EPOS-LHC", "QGSJET-II-04", "SIBYLL-2.3d")


@dataclass(frozen=True)
class SourceTable:
    """One source table and what it becomes.

    Attributes
    ----------
    file : str
        Path below ``spectra/`` in the source directory.
    experiment, species, quantity : str
        As the schema of stellarcr's tables names them.
    systematics : dict of str to str
        Name of every systematic component and what it contains.
    notes : tuple of str
        Transcription and caveats.
    hadronic_model, analysis : str
        Empty where there is none.
    """

    file: str
    experiment: str
    species: str
    quantity: str
    systematics: dict[str, str]
    notes: tuple[str, ...]
    hadronic_model: str = ""
    analysis: str = ""
    species_notes: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        """Name of the table, which is also its file's: experiment, species and hadronic model."""
        label = "lnA" if self.quantity == "lnA" else self.species.replace("p+He", "pHe")
        return "_".join(part for part in (self.experiment, label, self.hadronic_model) if part)


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
    """Return every source table that becomes a table, by experiment."""
    return (*_ams(), *_dampe(), *_lhaaso(), *_nucleon())


DOIS = {"Phys. Rep. 894, 1 (2021)": "10.1016/j.physrep.2020.09.003"}
"""DOIs that the source directory gives in another row than the table's own (its rows of ratios)."""

X_DEFINITIONS = {
    "Lafferty-Wyatt 2.7 (from source)": "where a power law of index -2.7 equals its bin average (Lafferty & Wyatt); "
    "from the source",
    "Lafferty-Wyatt, slope 2.7": "where a power law of index -2.7 equals its bin average (Lafferty & Wyatt); "
    "computed from the edges",
    "geometric bin centre": "geometric centre of the bin",
    "published": "published",
    "published point": "published",
}

EDGES_DEFINITIONS = {
    "AMS binning (from CRDB/SSDC files), matched to x_mean at 4 digits": "official binning, matched to the points",
    "AMS binning (from CRDB/SSDC files), matched to x_mean at 4 digits; edge deduced from x_mean": "official binning, "
    "matched to the points; some edges of merged bins deduced from the points",
    "published": "published",
    "published log10(E/PeV)": "published as log10(E/PeV)",
    "published log10(E/GeV)": "published as log10(E/GeV)",
    "not in source (points spaced 0.2 dex)": "not published",
}

FLAGS = {
    "": "",
    "stat printed as 0 in source (below last printed digit)": "statistical error printed as 0",
    "stat as printed 0.022e-10 (0.5%) is out of line with its neighbours (3.6%, 6.4%); probably 0.22e-10; "
    "left as printed": "statistical error as printed (0.5%) looks ten times too small beside its neighbours; kept",
    "stat as printed 0.083e-3 (1.8%) is out of line with neighbours (0.6%, 0.3%); left as printed": "statistical "
    "error as printed (1.8%) looks too large beside its neighbours (0.6%, 0.3%); kept",
    "stat: KISS prints 0.248e-13 (3%), EVA@f2cc860 prints 2.48e-13 (31%; previous bin 19%) -> 2.48e-13 used here; "
    "check the paper": "statistical error: one transcription has 0.248e-13, another 2.48e-13; the latter follows the "
    "trend and is used",
    "stat as printed (0.5%) out of line with neighbours (0.04-0.07%)": "statistical error as printed (0.5%) looks too "
    "large beside its neighbours (0.04-0.07%); kept",
}
"""Remarks of the source on single rows, in our words. An unknown one stops the build: it must be read first."""
