"""What the catalogue says of one source table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

FOLDERS = {"H.E.S.S.": "HESS", "Voyager 1": "Voyager-1"}
"""Experiments whose name makes a poor file name (a point at the end, a space)."""

TOTAL = {"total": "sys", "analysis": "sys_ana", "hadronic": "sys_had"}
"""Columns of the sources that hold each systematic component; ``sys`` stands for sys_lo and sys_hi."""


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
        Name of every systematic component and what it contains; empty where the source gives none.
    notes : tuple of str
        Transcription and caveats.
    hadronic_model, analysis : str
        Empty where there is none.
    species_notes : tuple of str
        What is said of this species alone.
    status : str
        ``recommended`` or ``superseded``.
    version : str
        What tells the name of a superseded table from the recommended one.
    axis : str
        Axis code that is part of the name, for ratios.
    bins_overlap : bool
        Several detectors measured; rows are sorted by x here.
    mass_group : bool
        The species stands for a group of elements.
    columns : mapping
        Source column of every systematic component; ``remainder`` is what the others leave of sys_lo and sys_hi in
        quadrature.
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
    status: str = "recommended"
    version: str = ""
    axis: str = ""
    bins_overlap: bool = False
    mass_group: bool = False
    columns: Mapping[str, str] = field(default_factory=lambda: TOTAL)

    @property
    def folder(self) -> str:
        """Folder below ``datasets/spectra``."""
        folder = FOLDERS.get(self.experiment, self.experiment)
        return f"{folder}/superseded" if self.status == "superseded" else folder

    @property
    def name(self) -> str:
        """Name of the table, which is also its file's: experiment, species, axis of a ratio, model, version."""
        label = "lnA" if self.quantity == "lnA" else self.species.replace("p+He", "pHe").replace("/", "_over_")
        parts = (FOLDERS.get(self.experiment, self.experiment), label, self.axis, self.hadronic_model, self.version)
        return "_".join(part for part in parts if part)
