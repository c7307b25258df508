"""Options of samplers: checked when they are made, with one name where they mean the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeVar

import numpy as np

from stellarcr.errors import ConfigError, nearest
from stellarcr.infer.pools.workers import POOLS, Workers


@dataclass(frozen=True, kw_only=True)
class SamplerSettings:
    """Options that mean the same for every sampler.

    Parameters
    ----------
    seed : int
        Seed of all random numbers of the run.
    max_calls : int, optional
        Stop after about this many likelihood evaluations.
    max_time : float, optional
        Stop after this many seconds of sampling, earlier sessions of a resumed run included.
    checkpoint_every : float
        Seconds between checkpoints. It does not change results.
    pool : {"processes", "mpi", "dask"}
        Who shares each batch of points: processes spawned on this machine, the ranks of an MPI job, or the workers of a
        Dask cluster. It does not change results.
    processes : int
        Worker processes of the pool "processes"; 1 works in the run's own process. It does not change results.
    dask_scheduler : str, optional
        Address of the scheduler of a Dask cluster, such as ``"tcp://node1:8786"``, or the path of its scheduler file.
    chunk : int, optional
        Points per task handed to a worker; the default depends on the sampler, not on the workers. It changes the last
        digits of results.
    draws : int
        Largest number of equal-weight samples kept in the archive.
    """

    seed: int = 1
    max_calls: int | None = None
    max_time: float | None = None
    checkpoint_every: float = 30.0
    pool: str = "processes"
    processes: int = 1
    dask_scheduler: str | None = None
    chunk: int | None = None
    draws: int = 20_000

    LIMITS: ClassVar[frozenset[str]] = frozenset(
        {"max_calls", "max_time", "checkpoint_every", "pool", "processes", "dask_scheduler", "draws"}
    )
    """Options that may change when a run is resumed: they only say how far and how it goes."""

    def __post_init__(self) -> None:
        self._require_integer("seed", 0)
        self._require_integer("processes", 1)
        self._check_pool()
        self._require_integer("draws", 1)
        self._require_integer("chunk", 1, optional=True)
        self._require_integer("max_calls", 1, optional=True)
        self._require_number("max_time", above=0.0, optional=True)
        self._require_number("checkpoint_every", at_least=0.0)

    def _check_pool(self) -> None:
        if self.pool not in POOLS:
            raise self._fail("pool", "one of " + ", ".join(POOLS))
        if self.pool != "processes" and self.processes > 1:
            size = "mpiexec -n decides" if self.pool == "mpi" else "the cluster decides"
            raise self._fail("processes", f'left out with pool = "{self.pool}": {size} how many workers there are')
        if self.pool == "dask" and not (isinstance(self.dask_scheduler, str) and self.dask_scheduler):
            raise self._fail(
                "dask_scheduler", 'an address ("tcp://node1:8786") or a scheduler file, with pool = "dask"'
            )
        if self.pool != "dask" and self.dask_scheduler is not None:
            raise self._fail("dask_scheduler", f'left out with pool = "{self.pool}"')

    @property
    def workers(self) -> Workers:
        """Which workers share the work."""
        return Workers(self.pool, self.processes, self.dask_scheduler)

    def _fail(self, key: str, requirement: str) -> ConfigError:
        return ConfigError(
            f"sampler option {key} = {getattr(self, key)!r} is not valid",
            where=type(self).__name__,
            remedy=f"{key} must be {requirement}",
        )

    def _require_integer(self, key: str, at_least: int, *, optional: bool = False) -> None:
        value = getattr(self, key)
        if optional and value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < at_least:
            raise self._fail(key, f"an integer of at least {at_least}")

    def _require_number(
        self,
        key: str,
        *,
        above: float | None = None,
        at_least: float | None = None,
        below: float | None = None,
        optional: bool = False,
    ) -> None:
        value = getattr(self, key)
        if optional and value is None:
            return
        conditions = [
            text
            for bound, text in (
                (above, f"above {above}"),
                (at_least, f"at least {at_least}"),
                (below, f"below {below}"),
            )
            if bound is not None
        ]
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if (
            not number
            or not np.isfinite(value)
            or (above is not None and value <= above)
            or (at_least is not None and value < at_least)
            or (below is not None and value >= below)
        ):
            raise self._fail(key, "a number " + " and ".join(conditions))

    def identity(self) -> dict[str, Any]:
        """Options that decide the result; a resumed run keeps them."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.LIMITS}

    def as_dict(self) -> dict[str, Any]:
        """All options, for the manifest."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


SettingsType = TypeVar("SettingsType", bound=SamplerSettings)


def settings_from(kind: type[SettingsType], options: Mapping[str, Any], *, where: str = "") -> SettingsType:
    """Build settings from a mapping, and refuse names that do not exist.

    Parameters
    ----------
    kind : type
        The settings class of the sampler.
    options : mapping
        Option names and values, for example the sampler's table of a configuration.
    where : str
        Where the options come from, for messages.

    Raises
    ------
    ConfigError
        If a name is unknown or a value not valid.
    """
    valid = {f.name for f in fields(kind)}
    for key in options:
        if key not in valid:
            raise ConfigError(f"unknown sampler option {key!r}", where=where, remedy=nearest(key, valid))
    try:
        return kind(**options)
    except ConfigError as error:
        raise ConfigError(error.problem, where=where or error.where, remedy=error.remedy) from None
