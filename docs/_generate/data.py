"""The page on measured spectra, from the registry."""

from __future__ import annotations

from itertools import groupby

from stellarcr.data.registry import SpectrumEntry, list_spectra
from stellarcr.likelihood.schema import LikelihoodFile, likelihood_files, load_likelihood_file
from stellarcr.observe.axes import AXES
from stellarcr.species import parts

from .markdown import code, from_docstring, number, table

_INTRODUCTION = """# Measured spectra

The tables that stellarcr comes with, listed by the registry when this page was made. `points` counts rows; the range
goes from the first bin edge to the last, or from point to point where no edges are published. Axes: `R` rigidity [GV],
`EK` kinetic energy per nucleus [GeV], `EKN` kinetic energy per nucleon [GeV], `ETOT` total energy per nucleus [GeV].
Fluxes are per m² s sr and per unit of the axis.

`use` says which likelihood file takes the table: those in **bold** belong to the reference fit. A range in rigidity
narrows the points further, see the [likelihood files](#likelihood-files). A `superseded` table is an older version of a
measurement that another table replaces; it is kept for comparison.

The numbers are the collaborations'. If you use a table, cite its reference.
"""


def page() -> str:
    """Make the page."""
    files = {name: load_likelihood_file(name)[0] for name in likelihood_files()}
    parts = [_INTRODUCTION]
    for experiment, entries in groupby(list_spectra(), key=lambda entry: entry.experiment):
        rows = [_row(entry, files) for entry in entries]
        parts.append(f"## {experiment}\n")
        header = ("table", "species", "quantity", "axis", "points", "from", "to", "use", "reference")
        parts.append(table(header, rows))
    parts += ["## Likelihood files\n", "In `likelihoods/`; a run names them in `[likelihoods.NAME]`.\n"]
    rows = [
        (
            code(name),
            file.experiment,
            ", ".join(file.species),
            f"{number(file.range.rigidity_min)} to {number(file.range.rigidity_max)}",
            "yes" if file.reference_fit else "no",
            from_docstring(file.description),
        )
        for name, file in files.items()
    ]
    parts.append(table(("file", "experiment", "species", "rigidity [GV]", "reference fit", "what"), rows))
    return "\n".join(parts)


def _row(entry: SpectrumEntry, files: dict[str, LikelihoodFile]) -> tuple[str, ...]:
    unit = AXES[entry.axis]
    quantity = entry.quantity + (f" ({entry.hadronic_model})" if entry.hadronic_model else "")
    return (
        code(entry.name),
        entry.species,
        quantity,
        code(entry.axis),
        str(entry.points),
        f"{number(float(f'{entry.x_min:.4g}'))} {unit}",
        f"{number(float(f'{entry.x_max:.4g}'))} {unit}",
        _use(entry, files),
        from_docstring(entry.reference),
    )


def _use(entry: SpectrumEntry, files: dict[str, LikelihoodFile]) -> str:
    if entry.status == "superseded":
        return "superseded"
    return ", ".join(
        f"**{name}**" if file.reference_fit else name for name, file in files.items() if _takes(file, entry)
    )


def _takes(file: LikelihoodFile, entry: SpectrumEntry) -> bool:
    """Whether a likelihood file takes a table, as it is shipped."""
    measured = "lnA" if entry.quantity == "lnA" else entry.species
    return (
        file.experiment == entry.experiment
        and measured in {"lnA" if species == "lnA" else "/".join(parts(species)) for species in file.species}
        and entry.hadronic_model in file.hadronic_models
        and file.axis in (None, entry.axis)
    )
