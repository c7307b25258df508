"""What every sampler shares: the store it checkpoints to, and the result it gives."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import numpy as np

from stellarcr.errors import StellarcrError
from stellarcr.infer.posterior_protocol import FloatArray, Posterior
from stellarcr.infer.samplers.settings import SamplerSettings

if TYPE_CHECKING:
    from stellarcr.infer.samplers.map import MapResult


class RunInterrupted(StellarcrError):  # noqa: N818 - not a mistake of anyone
    """The run was stopped by a signal after a checkpoint; it can be resumed."""


@dataclass(frozen=True)
class SavedState:
    """One consistent checkpoint: JSON-like fields and the contents of its files by label."""

    fields: dict[str, Any]
    files: dict[str, bytes]


Writer = Callable[[BinaryIO], None]


class Store(Protocol):
    """Where a sampler keeps its checkpoints, and through which it talks to the outside.

    A checkpoint lives in a named slot. ``commit`` replaces the slot's checkpoint as a whole: either the old
    or the new one exists at any moment.
    """

    def load(self, slot: str) -> SavedState | None:
        """Give the last checkpoint of a slot, or None."""
        ...

    def commit(
        self,
        slot: str,
        state: Mapping[str, Any],
        *,
        add: Mapping[str, Writer],
        keep: tuple[str, ...] = (),
    ) -> None:
        """Replace the checkpoint: `add` are new files, `keep` labels of earlier files that stay part of it."""
        ...

    def checkpoint_due(self, every: float) -> bool:
        """Whether `every` seconds have passed since the last commit."""
        ...

    @property
    def interrupted(self) -> bool:
        """Whether a signal asked the run to stop."""
        ...

    def report(self, **numbers: Any) -> None:
        """Report progress."""
        ...

    def note(self, line: str) -> None:
        """Write one line to the log."""
        ...


@dataclass
class MemoryStore:
    """A store without a folder, for sampling inside a Python session."""

    slots: dict[str, SavedState] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    interrupted: bool = False
    last_commit: float = field(default_factory=time.monotonic)

    def load(self, slot: str) -> SavedState | None:
        """Give the last checkpoint of a slot, or None."""
        return self.slots.get(slot)

    def commit(
        self,
        slot: str,
        state: Mapping[str, Any],
        *,
        add: Mapping[str, Writer],
        keep: tuple[str, ...] = (),
    ) -> None:
        """Keep the checkpoint in memory."""
        old = self.slots.get(slot)
        kept = {label: old.files[label] for label in keep} if old else {}
        self.slots[slot] = SavedState(dict(state), kept | {label: to_bytes(w) for label, w in add.items()})
        self.last_commit = time.monotonic()

    def checkpoint_due(self, every: float) -> bool:
        """Whether `every` seconds have passed since the last commit."""
        return time.monotonic() - self.last_commit >= every

    def report(self, **numbers: Any) -> None:
        """Show nothing."""

    def note(self, line: str) -> None:
        """Keep the line."""
        self.notes.append(line)


def to_bytes(writer: Writer) -> bytes:
    """Run a writer into memory."""
    buffer = BytesIO()
    writer(buffer)
    return buffer.getvalue()


def array_writer(**arrays: np.ndarray) -> Writer:
    """Give a writer of named arrays (npz without pickled objects)."""

    def write(file: BinaryIO) -> None:
        np.savez(file, allow_pickle=False, **arrays)

    return write


def read_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Read what :func:`array_writer` wrote; refuses pickled objects."""
    with np.load(BytesIO(content), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


@dataclass(frozen=True)
class WeightedSamples:
    """The weighted samples of a nested-sampling run.

    Attributes
    ----------
    theta : array, shape (n, n_dim)
        Parameters.
    log_weight : array, shape (n,)
        Log of the posterior weight; the weights sum to one.
    log_likelihood : array, shape (n,)
        Log likelihood.
    log_prior_volume : array, shape (n,)
        Log of the prior volume that the likelihood contour encloses.
    log_prior : array, shape (n,), optional
        Log of the prior density; known once the samples are in an archive.
    log_likelihood_birth : array, shape (n,), optional
        Contour above which each was drawn, ``-inf`` for the whole prior; where the sampler records it.
    """

    theta: FloatArray
    log_weight: FloatArray
    log_likelihood: FloatArray
    log_prior_volume: FloatArray
    log_prior: FloatArray | None = None
    log_likelihood_birth: FloatArray | None = None


@dataclass(frozen=True)
class Trace:
    """Some walkers of a chain over the whole run, burn-in included.

    Attributes
    ----------
    steps : array, shape (n_steps,)
        Number of each step.
    theta : array, shape (chain, n_steps, walker, n_dim)
        Parameters.
    log_posterior : array, shape (chain, n_steps, walker)
        Log posterior.
    """

    steps: np.ndarray
    theta: FloatArray
    log_posterior: FloatArray


@dataclass(frozen=True)
class SamplerResult:
    """What a sampler gives, whichever it is.

    Attributes
    ----------
    sampler : str
        Registered name.
    samples : array, shape (chain, draw, n_dim)
        Equal-weight posterior samples.
    log_posterior : array, shape (chain, draw)
        Log posterior of each; for nested sampling log likelihood plus log prior.
    converged : bool
        Whether the stopping rule was met.
    verdict : str
        One honest line on why it stopped and how far it is.
    n_calls : int
        Likelihood evaluations, all sessions of the run.
    seconds : float
        Sampling time, all sessions of the run.
    diagnostics : dict
        Numbers of this sampler (tau, R-hat, burn-in, ESS, ...); arrays are per parameter.
    log_evidence, log_evidence_error : float, optional
        ln Z and its statistical error, or None.
    nested : WeightedSamples, optional
        Raw weighted samples of a nested run.
    trace : Trace, optional
        Some walkers of an MCMC run.
    """

    sampler: str
    samples: FloatArray
    log_posterior: FloatArray
    converged: bool
    verdict: str
    n_calls: int
    seconds: float
    diagnostics: dict[str, Any]
    log_evidence: float | None = None
    log_evidence_error: float | None = None
    nested: WeightedSamples | None = None
    trace: Trace | None = None


class Sampler(Protocol):
    """One sampler. ``run`` is the single override point."""

    name: str
    settings_type: type[SamplerSettings]

    def run(
        self,
        posterior: Posterior,
        settings: Any,
        store: Store,
        *,
        start: MapResult | None = None,
    ) -> SamplerResult:
        """Sample until converged or at a limit, and resume from the store's checkpoint if there is one.

        Parameters
        ----------
        posterior : Posterior
            The problem.
        settings : SamplerSettings
            An instance of `settings_type`.
        store : Store
            Checkpoints, progress and the interrupt flag.
        start : MapResult, optional
            The posterior's maximum, where a chain starts.

        Raises
        ------
        ModelError
            If the posterior gives NaN or +inf; the last checkpoint stays.
        RunInterrupted
            If a signal asked to stop; a checkpoint was written.
        """
        ...


class Clock:
    """Seconds of sampling, earlier sessions included."""

    def __init__(self, before: float = 0.0) -> None:
        self._start = time.monotonic() - before

    @property
    def seconds(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start


def stored_points(quantity: str, theta: FloatArray, values: FloatArray, largest: int = 8) -> dict[str, Any]:
    """Points that a checkpoint carries so that a resumed run can compute them again and compare."""
    finite = np.flatnonzero(np.isfinite(values))[:largest]
    return {"quantity": quantity, "theta": theta[finite].tolist(), "values": values[finite].tolist()}


def interrupted_error(sampler: str, n_calls: int) -> RunInterrupted:
    """Build the error that an adapter raises after its last checkpoint."""
    return RunInterrupted(
        f"{sampler} was interrupted after {n_calls:,} likelihood calls; the checkpoint is written",
        remedy="run the same command with --resume to go on",
    )
