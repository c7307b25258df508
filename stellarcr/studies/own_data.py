"""What follows the import of a user's own table: how to look at it, and how to fit it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np

from ..data.importing import ImportedTable
from ..data.spectrum import Spectrum
from ..likelihood.experiment import representative_rigidity
from ..likelihood.schema import Range

_NEEDED = "only fluxes, and ratios of fluxes, with points above 20 GV are fitted"


def print_imported(imported: ImportedTable, folder: Path) -> None:
    """Say what was written, and how to plot and to fit it.

    Parameters
    ----------
    imported : ImportedTable
        The new table.
    folder : Path
        The folder as the user gave it.
    """
    spectrum = imported.spectrum
    print(f"wrote {imported.path}")
    print(str(spectrum))
    large = np.count_nonzero((spectrum.total_error()[0] > spectrum.value) & ~spectrum.upper_limit)
    if large and spectrum.quantity != "lnA":
        print(
            f"{large} of {len(spectrum)} points have errors larger than their value: "
            "if they are relative to it, import again with --relative-errors"
        )
    print(f"\nnext: look at it\n  stellarcr data plot {spectrum.name} --folder {shlex.quote(str(folder))}")
    stanza = likelihood_stanza(spectrum)
    if stanza is None:
        print(f"\na fit cannot use it: {_NEEDED}")
        return
    if not spectrum.has_edges:
        print("\nno bin edges: a fit compares at the points instead of averaging over bins")
    key = _key(spectrum.experiment)
    path = (imported.path.parent / f"{key}.toml").resolve()
    print(f"\nnext: use it in a fit; save this as {path}\n\n{stanza}\nand add to the run configuration\n")
    print(f"[likelihoods.{key}]\nfile = {json.dumps(str(path))}")


def likelihood_stanza(spectrum: Spectrum) -> str | None:
    """Write a likelihood file for one table, to be kept in the folder of the table.

    Parameters
    ----------
    spectrum : Spectrum
        The table.

    Returns
    -------
    str or None
        TOML; None if no likelihood can use the table, because it holds neither a flux nor a ratio of fluxes, or no
        point above 20 GV.
    """
    least = Range().rigidity_min
    if spectrum.quantity not in ("flux", "ratio") or not np.any(representative_rigidity(spectrum) > least):
        return None
    lines = [
        f"experiment = {json.dumps(spectrum.experiment)}",
        f"species = [{json.dumps(spectrum.species)}]",
        'folder = "."              # of the tables, relative to this file',
    ]
    if spectrum.hadronic_model:
        lines.append(f"hadronic_model = {json.dumps(spectrum.hadronic_model)}")
    lines += ["", "[range]", f"rigidity_min = {least}       # GV"]
    for name in spectrum.systematics:
        lines += ["", f"[errors.systematic.{name}]", 'correlation = "uncorrelated"   # or "full", or "length"']
    lines += ["", "[nuisances.phi]", "value = 0.0               # GV, modulation potential; give a prior to free it"]
    return "\n".join(lines) + "\n"


def _key(experiment: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "", experiment.lower()) or "mine"
