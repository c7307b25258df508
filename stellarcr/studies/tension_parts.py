"""Fits of the parts of a joint run: some experiments alone, and the rest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..config import load_config
from ..errors import ConfigError, nearest
from .compare_groups import read_finished
from .leave_out import fit_reduced
from .pictures import posterior_of
from .reduced_config import config_with_only, config_without, find_held_out


def fit_parts(
    joint: str | Path,
    experiments: Sequence[str],
    *,
    sampler: str | None = None,
    max_time: float | str | None = None,
    quiet: bool = False,
) -> list[Path]:
    """Fit each of some experiments alone, and all others together.

    The fits are runs beside the joint one, ``NAME.only.KEY`` and ``NAME.without.KEY``: those that were cut short go on,
    finished ones are taken as they are.

    Parameters
    ----------
    joint : str or Path
        Run of all data.
    experiments : sequence of str
        Keys of likelihoods.
    sampler, max_time, quiet
        As for `stellarcr.studies.leave_out.leave_out`.

    Returns
    -------
    list of Path
        Run folders of the parts.

    Raises
    ------
    ConfigError
        If an experiment is not in the run, or is all that it has.
    RunError
        If the run cannot be read, or a folder holds another problem.
    """
    stored = read_finished(joint)
    config = load_config(stored.path / "config.toml")
    keys = list(dict.fromkeys(experiments))
    for key in keys:
        if key not in config.likelihoods:
            raise ConfigError(f"--experiment {key!r} is not in this run", remedy=nearest(key, config.likelihoods))
    if len(config.likelihoods) < 2:
        raise ConfigError(f"{stored.name!r} has one experiment, and no parts", remedy="give a run of several")
    rest = [key for key in config.likelihoods if key not in keys]
    reduced = [config_with_only(config, [key], stored, sampler) for key in keys]
    if len(keys) == 1:
        # the fit that leave-out makes as well
        posterior = posterior_of(stored)
        (held,) = find_held_out(posterior, [], keys)
        reduced.append(config_without(config, posterior, held, stored, sampler))
    elif rest:
        reduced.append(config_with_only(config, rest, stored, sampler))
    return [fit_reduced(part, max_time=max_time, quiet=quiet).path for part in reduced]
