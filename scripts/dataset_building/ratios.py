"""Tables of flux ratios."""

from __future__ import annotations

from dataset_building.direct import ALL_PUBLISHED
from dataset_building.source_table import SourceTable

_NOTE = "Numbers unchanged; the source has no bin edges. Numerator and denominator are taken at equal x."

_AMS = (
    "B/C B/O Be/B Be/C Be/O C/O F/B F/Si Fe/He Fe/O Fe/Si H/He He/O Li/B Li/C Li/O Mg/O N/B N/O Ne/Mg Ne/O Si/Mg Si/O"
)

_NO_SYSTEMATICS = "The source gives no systematic error: only the statistical one is here, the total is larger."

_MORE = {
    **dict.fromkeys(
        ("AMS-02 Fe/He", "AMS-02 Fe/O", "AMS-02 Fe/Si"),
        (
            "The DOI that the source gives (PRL 124, 211102) contradicts its bibliographic code (PRL 126, 041104), "
            "which is that of the iron flux; the code is followed and no DOI is given.",
        ),
    ),
    **dict.fromkeys(("CREAM B/C", "CREAM C/O", "CREAM N/O"), ("The source says CREAM, without naming the flight.",)),
    "NUCLEON H/He": (_NO_SYSTEMATICS,),
}

_RATIOS = (
    *(("AMS-02", ratio, "R") for ratio in _AMS.split()),
    ("AMS-02", "B/C", "EKN"),
    ("CALET", "B/C", "EKN"),
    ("CALET", "C/O", "EKN"),
    ("CALET", "H/He", "EKN"),
    ("CALET", "H/He", "R"),
    ("CREAM", "B/C", "EKN"),
    ("CREAM", "C/O", "EKN"),
    ("CREAM", "N/O", "EKN"),
    ("DAMPE", "B/C", "EKN"),
    ("DAMPE", "B/O", "EKN"),
    ("NUCLEON", "H/He", "R"),
    ("PAMELA", "B/C", "EKN"),
    ("PAMELA", "B/C", "R"),
    ("TRACER", "B/C", "EKN"),
)


def ratios() -> tuple[SourceTable, ...]:
    """Return the tables, by experiment."""
    return tuple(
        SourceTable(
            file=f"ratios/{experiment}_{ratio.replace('/', '_over_')}_{'R' if axis == 'R' else 'Ekn'}.csv",
            experiment=experiment,
            species=ratio,
            quantity="ratio",
            systematics={} if experiment == "NUCLEON" else ALL_PUBLISHED,
            notes=(_NOTE,),
            species_notes=_MORE.get(f"{experiment} {ratio}", ()),
            axis=axis,
        )
        for experiment, ratio, axis in _RATIOS
    )
