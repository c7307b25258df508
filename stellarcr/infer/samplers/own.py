"""Samplers that users write: a class named as ``file.py:Class`` or ``module:Class``, checked when it is loaded."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from stellarcr.errors import ConfigError, RunError, StellarcrError
from stellarcr.extensions import Extension, call_with_options, describe_failure, find_extension
from stellarcr.infer.posterior_protocol import Posterior
from stellarcr.infer.samplers.base import SamplerResult, Store
from stellarcr.infer.samplers.map import MapResult
from stellarcr.infer.samplers.settings import SamplerSettings

HOW = (
    "a sampler has settings_type and run(posterior, settings, store, *, start=None): see stellarcr.infer.samplers.base"
)


class OwnSampler:
    """A user's sampler behind the protocol of all others.

    The class is made without arguments. It has

    - ``settings_type``: `SamplerSettings`, or a subclass that is a dataclass and adds options;
    - ``run(posterior, settings, store, *, start=None)``: gives a `SamplerResult`, as
      :meth:`~stellarcr.infer.samplers.base.Sampler.run` says. Its checkpoints go to the slot with the class's name.

    Parameters
    ----------
    source : Extension
        The class.

    Raises
    ------
    ConfigError
        If it is no sampler.
    """

    def __init__(self, source: Extension) -> None:
        self.name = source.attribute
        self._source = source
        self._inner = call_with_options(source, (), {})
        self.settings_type: type[SamplerSettings] = self._checked_settings()
        self._check_run()

    def run(
        self, posterior: Posterior, settings: Any, store: Store, *, start: MapResult | None = None
    ) -> SamplerResult:
        """Run the user's sampler, and check what it gives.

        Raises
        ------
        RunError
            If it fails, naming its line, or gives something else than samples of the posterior.
        """
        try:
            result = self._inner.run(posterior, settings, store, start=start)
        except StellarcrError:
            raise
        except Exception as error:
            raise RunError(
                f"the sampler {self.name} failed: {describe_failure(error)}",
                where=self._source.path,
                remedy="correct it",
            ) from error
        problem = _problem_of(result, posterior)
        if problem:
            raise RunError(
                f"the sampler {self.name} gave {problem}", where=self._source.path, remedy="see SamplerResult"
            )
        return result

    def _fail(self, problem: str, remedy: str = HOW) -> ConfigError:
        return ConfigError(f"{self.name} {problem}", where=self._source.path, remedy=remedy)

    def _checked_settings(self) -> type[SamplerSettings]:
        kind = getattr(self._inner, "settings_type", None)
        if not (isinstance(kind, type) and issubclass(kind, SamplerSettings)):
            raise self._fail(f"has settings_type = {kind!r}, which is no subclass of SamplerSettings")
        known = {f.name for f in fields(kind)}
        lost = [key for key in inspect.get_annotations(kind) if key not in known and not key.isupper()]
        if lost or not is_dataclass(kind):
            raise self._fail(
                f"has settings {kind.__name__} whose {', '.join(lost)} would not be options",
                f"write @dataclass(frozen=True, kw_only=True) above class {kind.__name__}",
            )
        try:
            kind()
        except TypeError as error:
            raise self._fail(
                f"has settings {kind.__name__} that cannot be made without options: {error}",
                "give every option a default",
            ) from error
        return kind

    def _check_run(self) -> None:
        run = getattr(self._inner, "run", None)
        if not callable(run):
            raise self._fail("has no method run")
        try:
            inspect.signature(run).bind(None, None, None, start=None)
        except TypeError as error:
            raise self._fail(
                f"has run{inspect.signature(run)}, which does not take what a sampler gets: {error}"
            ) from None


def own_sampler(reference: str) -> OwnSampler:
    """Give a user's sampler.

    Parameters
    ----------
    reference : str
        ``file.py:Class`` or ``module:Class``.

    Raises
    ------
    ConfigError
        If it cannot be imported or is no sampler.
    """
    return OwnSampler(find_extension(reference))


def _problem_of(result: Any, posterior: Posterior) -> str:
    """Say what is wrong with a result; empty if it is the posterior's samples."""
    if not isinstance(result, SamplerResult):
        return f"a {type(result).__name__} instead of a SamplerResult"
    shape = np.shape(result.samples)
    if len(shape) != 3 or shape[2] != posterior.n_dim or 0 in shape:
        return f"samples of shape {shape} instead of (chain, draw, {posterior.n_dim})"
    if np.shape(result.log_posterior) != shape[:2]:
        return f"log_posterior of shape {np.shape(result.log_posterior)} instead of {shape[:2]}"
    last = np.array(result.samples[:, -1])
    expected, given = posterior.log_posterior(last), np.array(result.log_posterior[:, -1])
    # Not equal: a sampler may have evaluated in other batches.
    if not np.allclose(given, expected, rtol=1e-9, atol=1e-6):
        k = int(np.argmax(~np.isclose(given, expected, rtol=1e-9, atol=1e-6)))
        return f"log_posterior = {given[k]:.8g} for a sample where it is {expected[k]:.8g}"
    for key in ("tau", "rhat"):
        if key in result.diagnostics and np.shape(result.diagnostics[key]) != (posterior.n_dim,):
            return f"diagnostics[{key!r}] of shape {np.shape(result.diagnostics[key])} instead of ({posterior.n_dim},)"
    if result.nested is not None and not np.isclose(np.sum(np.exp(result.nested.log_weight)), 1.0, atol=1e-6):
        return f"nested weights with the sum {np.sum(np.exp(result.nested.log_weight)):.6g} instead of 1"
    return ""
