"""Words of the source tables, and what the tables of stellarcr say instead.

An unknown word stops the build: somebody must read it first.
"""

from __future__ import annotations

import re

DOIS = {"Phys. Rep. 894, 1 (2021)": "10.1016/j.physrep.2020.09.003", "PoS(ICRC2015)263": "10.22323/1.236.0263"}
"""DOIs that the source directory gives in another row than the table's own."""

X_DEFINITIONS = {
    "Lafferty-Wyatt 2.7 (from source)": "where a power law of index -2.7 equals its bin average (Lafferty & Wyatt); "
    "from the source",
    "Lafferty-Wyatt, slope 2.7": "where a power law of index -2.7 equals its bin average (Lafferty & Wyatt); "
    "computed from the edges",
    "Lafferty-Wyatt 2.7": "where a power law of index -2.7 equals its bin average (Lafferty & Wyatt)",
    "KISS mean of bin (Lafferty-Wyatt 2.7)": "mean of the bin as the KISS data base gives it, where a power law of "
    "index -2.7 equals its bin average (Lafferty & Wyatt)",
    "KISS mean of bin (geometric)": "mean of the bin as the KISS data base gives it, its geometric centre",
    "KISS mean of bin": "mean of the bin as the KISS data base gives it",
    "CRDB <E>": "mean energy of the bin as CRDB gives it",
    "bin midpoint": "arithmetic middle of the bin",
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
    "published log10(E/eV)": "published as log10(E/eV)",
    "published, via DRAGON2 file": "published, from the data files of the propagation code DRAGON2",
    "CRDB": "as CRDB gives them",
    "reconstructed: 10-per-decade grid edges reproducing x_mean to 4 digits": "reconstructed: edges of a grid of ten "
    "per decade that reproduce the points at four digits",
    "reconstructed: 10-per-decade grid edges reproducing x_mean to 4 digits; last upper edge by inversion (3 digits)": (
        "reconstructed: edges of a grid of ten per decade that reproduce the points at four digits; the last one "
        "computed from its point (three digits)"
    ),
    "reconstructed: 10-per-decade grid edges reproducing x_mean to 4 digits; first lower edge by inversion; last upper "
    "edge by inversion (3 digits)": "reconstructed: edges of a grid of ten per decade that reproduce the points at "
    "four digits; the first and the last one computed from their points (three digits)",
    "deduced: SM states E is the log-geometric mid-value; step 0.2 dex": "deduced from the points, which are the "
    "logarithmic middle of bins of 0.2 in log10(E)",
    "not in table (step 0.2 dex)": "not published with the points, which are spaced by 0.2 in log10(E)",
    "not recovered": "not recovered",
    "not in source": "not in the source",
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
    "stat printed as 0 (rounded below last digit)": "statistical error printed as 0, rounded below its last digit",
    "best fit compatible with zero (lower error = flux)": "best fit compatible with zero",
    "lower error = flux and upper error 0: treated as upper limit": "lower error equal to the flux, upper error 0: "
    "treated as upper limit",
}
"""Remarks of the source on single rows, in our words."""

TABLE_FLAGS = ("superseded by v2/PRL", "no systematic error in source")
"""Remarks that the source repeats in every row; the notes of the table say them once."""

_COUNTS = (
    (re.compile(r"counts=([\d.]+) telescope=(\d)"), r"\1 counts, telescope \2"),
    (re.compile(r"N_events=(\d+)"), r"\1 events"),
)


def flag(text: str) -> str | None:
    """Put a remark of the source on a row into our words; None if it is unknown."""
    if text in TABLE_FLAGS:
        return ""
    for pattern, words in _COUNTS:
        if pattern.fullmatch(text):
            return pattern.sub(words, text)
    return FLAGS.get(text)
