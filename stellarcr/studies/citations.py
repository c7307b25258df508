"""BibTeX of what a run used."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..data import Reference
from ..galaxy import Galaxy
from ..likelihood.experiment import ExperimentData

MODEL = Reference(
    "Qiu, Lin & Yang, Collective Winds of Massive Star Clusters as the Dominant PeVatrons for Galactic Cosmic Rays",
    arxiv="2605.31362",
)
"""The model that the package implements."""

CRDB = Reference("Maurin et al. 2023, cosmic-ray data base CRDB, through which most tables came")


def bibliography(data: Sequence[ExperimentData], galaxy: Galaxy, sampler: str) -> str:
    """Write a BibTeX entry for the model, every table, and the sampler.

    References are given as the tables' headers hold them; entries are ``@misc`` because the headers do not split them
    into authors and titles.

    Parameters
    ----------
    data : sequence of ExperimentData
        The experiments of the run.
    galaxy : Galaxy
        Its preset is named.
    sampler : str
        Name of the sampler.
    """
    references: dict[str, Reference] = {"stellarcr:model": MODEL, "stellarcr:crdb": CRDB}
    for experiment in data:
        for table in experiment.tables:
            references[f"data:{table.name}"] = table.reference
    lines = [f"% galaxy preset: {galaxy.name}; sampler: {sampler}"]
    seen: dict[str, str] = {}
    for key, reference in references.items():
        text = str(reference)
        if text in seen:
            lines.append(f"% {key}: see {seen[text]}")
            continue
        seen[text] = key
        lines.append(_entry(key, reference))
    return "\n".join(lines) + "\n" + _sampler_entry(sampler)


def _entry(key: str, reference: Reference) -> str:
    note = reference.text + (f", {reference.table}" if reference.table else "")
    fields = {"note": note, "doi": reference.doi, "eprint": reference.arxiv}
    if reference.arxiv:
        fields["archiveprefix"] = "arXiv"
    body = ",\n".join(f"  {name} = {{{_escape(value)}}}" for name, value in fields.items() if value)
    return f"@misc{{{re.sub(r'[^A-Za-z0-9:_-]', '-', key)},\n{body}\n}}"


def _escape(text: str) -> str:
    return re.sub(r"([&%#_])", r"\\\1", text)


def _sampler_entry(sampler: str) -> str:
    if sampler == "emcee":
        import emcee

        return str(getattr(emcee, "__bibtex__", "")).strip() + "\n"
    return f"% cite {sampler.rpartition(':')[2]} as its documentation asks\n"
