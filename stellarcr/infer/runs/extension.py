"""Going on with a finished run: how far, and what a chain of a sampler allows.

An extension is a record in the manifest, written before its first step: a process killed on the way leaves it with the
status ``running``, and the next session takes it up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stellarcr.errors import RunError
from stellarcr.infer.runs.folder import RunFolder
from stellarcr.infer.samplers.settings import SamplerSettings

LIMITS = ("max_time", "max_calls")
"""Limits of an extension; those of the configuration do not hold for it. They count the whole run."""


def pending_extension(manifest: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give the record of an extension that has not ended, or None."""
    records: list[dict[str, Any]] = manifest.get("extensions") or []
    return records[-1] if records and records[-1]["status"] == "running" else None


def plan_extension(
    folder: RunFolder, sampler: str, settings: SamplerSettings, extend: bool | int, limits: Mapping[str, Any]
) -> dict[str, Any]:
    """Decide how far a finished run goes on; an extension that was cut short keeps its aim.

    Parameters
    ----------
    folder : RunFolder
        The run, opened for writing.
    sampler : str
        Its sampler.
    settings : SamplerSettings
        Settings of the run.
    extend : bool or int
        True doubles the steps (emcee) or the effective samples (dynesty, dynamic); a number adds so many.
    limits : mapping
        ``max_time`` [s] and ``max_calls`` of the whole run, where given.

    Returns
    -------
    dict
        ``quantity`` with ``from`` and ``to``, the limits, and ``status``; when it ends, ``reached`` is added.

    Raises
    ------
    RunError
        If the run has not finished, its sampler cannot go on, its checkpoints are gone, or a limit is used up.
    """
    where = str(folder.path)
    record = pending_extension(folder.manifest)
    if record is not None:
        record.update({key: limits[key] for key in LIMITS if limits.get(key) is not None})
        return record
    if folder.manifest["status"] != "finished":
        raise RunError(
            f"only a finished run can be extended; this one is {folder.manifest['status']}",
            where=where,
            remedy="finish it with --resume first",
        )
    if isinstance(extend, int) and not isinstance(extend, bool) and extend < 1:
        raise RunError(f"a run cannot be extended by {extend}", where=where, remedy="give a number of at least 1")
    quantity = _quantity(sampler, settings, where)
    state = folder.slots.fields(sampler)
    if state is None:
        raise RunError(
            "the checkpoints of this run are gone, and nothing can go on without them",
            where=f"{where}/state",
            remedy="raise the limits in the configuration and start anew with --overwrite, or under another --name",
        )
    for key, used in (("max_time", state["seconds"]), ("max_calls", state["n_calls"])):
        if limits.get(key) is not None and limits[key] <= used:
            raise RunError(
                f"{key} = {limits[key]:g} is used up: the run has taken {used:.10g} already",
                where=where,
                remedy="limits count the whole run, earlier sessions included: give a larger one, or leave it out",
            )
    reached = state["step"] if quantity == "steps" else state.get("n_effective", settings.as_dict()["n_effective"])
    start = int(reached)
    return {
        "quantity": quantity,
        "from": start,
        "to": start + (start if extend is True else int(extend)),
        **{key: limits.get(key) for key in LIMITS},
        "status": "running",
    }


def extended_settings(settings: SamplerSettings, record: Mapping[str, Any]) -> SamplerSettings:
    """Give the settings with which a sampler goes exactly as far as an extension asks, converged or not."""
    aim = (
        {"min_steps": record["to"], "max_steps": record["to"]}
        if record["quantity"] == "steps"
        else {"n_effective": record["to"]}
    )
    return replace(settings, **aim, **{key: record[key] for key in LIMITS})


def _quantity(sampler: str, settings: SamplerSettings, where: str) -> str:
    """Name what an extension adds to: ``steps`` or ``n_effective``."""
    if sampler == "emcee":
        return "steps"
    if sampler in ("dynesty", "ultranest"):
        if settings.as_dict().get("mode") == "dynamic":
            return "n_effective"
        raise RunError(
            "a static nested run cannot be extended: it ends when its live points have shrunk to the peak, and points "
            "added later would not be nested in them",
            where=where,
            remedy="run it again under another --name with another --seed and compare the two, or start anew with a "
            'larger nlive or with dynesty and mode = "dynamic"',
        )
    raise RunError(
        f"there is nothing to extend in a run of the sampler {sampler!r}",
        where=where,
        remedy="raise its limits in [sampler] and start anew with --overwrite, or sample with emcee or dynesty",
    )
