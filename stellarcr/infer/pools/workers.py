"""Which workers a run uses."""

from __future__ import annotations

from dataclasses import dataclass

POOLS = ("processes", "mpi", "dask")


@dataclass(frozen=True)
class Workers:
    """Which workers a run uses; it does not change results.

    Attributes
    ----------
    pool : {"processes", "mpi", "dask"}
        Processes spawned here; the ranks of an MPI job; the workers of a Dask cluster.
    processes : int
        With ``"processes"``: how many; 1 works in this process.
    dask_scheduler : str, optional
        With ``"dask"``: address of the scheduler, such as ``tcp://node1:8786``, or the path of its scheduler file.
    """

    pool: str = "processes"
    processes: int = 1
    dask_scheduler: str | None = None

    @property
    def parallel(self) -> bool:
        """Whether there are workers besides this process."""
        return self.pool != "processes" or self.processes > 1


SERIAL = Workers()
