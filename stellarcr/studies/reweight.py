"""A stored run as the run of another configuration: other priors, ranges, error models or data, without sampling.

`stellarcr.infer.comparison.reweighting` has the formulas.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._version import __version__
from ..config import RunConfig, build_posterior, resolved_toml
from ..errors import ParameterError, RunError
from ..infer.comparison.reweighting import LEAST_EFFECTIVE, Reweighted, outside_share, reweight
from ..infer.comparison.volumes import volume_weights
from ..infer.files import json_ready, write_json
from ..infer.importance.pareto import RELIABLE_K
from ..infer.posterior import Posterior
from ..infer.priors import Prior, prior_from_mapping
from ..infer.runs import Run, RunFolder, read_run
from ..infer.runs.archive import CHUNK, build_tree, derive, write_tree
from ..infer.runs.checks import config_differences
from ..infer.runs.job import DERIVED_DRAWS
from ..infer.samplers.base import SamplerResult
from ..infer.samplers.map import MapResult, improve_maximum
from ..infer.samplers.settings import SamplerSettings
from ..infer.summary import build_summary
from .citations import bibliography
from .compare_groups import read_finished
from .fit import as_config, population_records
from .leave_out import effective_samples
from .text_tables import Cell, TextTable, number, print_tables, text, with_error

SAMPLER = "reweighting"
"""What the new run names as its sampler."""

_PRIOR_DRAWS = 5000
_UNSEEN = 1e-3


@dataclass(frozen=True, eq=False)
class ReweightedRun:
    """A new run made of the samples of another.

    Attributes
    ----------
    old, new : Run
        The runs.
    result : Reweighted
        Weights and evidence.
    differences : tuple of str
        What the configurations differ in.
    warnings : tuple of str
        What a reader must know before quoting numbers.
    """

    old: Run
    new: Run
    result: Reweighted
    differences: tuple[str, ...]
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The numbers, as JSON can hold them."""
        w = self.result.weights
        ready: dict[str, Any] = json_ready(
            {
                "run": str(self.old.path),
                "new_run": str(self.new.path),
                "converged": self.new.converged,
                "verdict": self.new.summary["verdict"],
                "pareto_k": w.pareto_k,
                "reliable": w.reliable,
                "effective_samples": w.effective_samples,
                "log_evidence_change": w.value,
                "log_evidence_change_error": w.error,
                "log_evidence": self.result.log_evidence,
                "log_evidence_error": self.result.log_evidence_error,
                "differences": self.differences,
                "warnings": self.warnings,
            }
        )
        return ready


def reweight_run(
    run: str | Path,
    config: RunConfig | Mapping[str, Any] | str | Path,
    name: str | None = None,
    *,
    unreliable: bool = False,
    overwrite: bool = False,
    seed: int = 1,
) -> ReweightedRun:
    """Give the samples of a run the weights of another posterior, and write them as a new run.

    Parameters
    ----------
    run : str or Path
        A finished run.
    config : RunConfig, mapping, str or Path
        The other configuration, with the same free parameters.
    name : str, optional
        Name of the new run, beside the first; default: ``RUN.reweighted.CONFIG``.
    unreliable : bool
        Write it even if the weights' tail is too heavy; the verdict says so.
    overwrite : bool
        Replace a run of that name.
    seed : int
        Of the equal-weight samples.

    Raises
    ------
    RunError
        If the free parameters differ, the weights cannot be believed, or a run of that name is there.
    """
    stored, settings = read_finished(run), as_config(config)
    posterior = build_posterior(settings)
    order = _columns(stored, posterior)
    if stored.log_prior is None:
        raise RunError("the run kept no priors: it is too old", where=str(stored.path), remedy="run it again")
    theta = stored.samples[:, order]
    old = stored.log_prior + np.sum(list(stored.log_likelihood.values()), axis=0)
    new = np.concatenate([posterior.log_posterior(theta[i : i + CHUNK]) for i in range(0, len(theta), CHUNK)])
    rng = np.random.default_rng(seed)
    result = reweight(
        old,
        new,
        rng,
        effective_samples=effective_samples(stored),
        volumes=volume_weights(stored.nested, stored.samples),
        log_evidence=(stored.log_evidence, stored.log_evidence_error) if stored.converged else (None, None),
    )
    w = result.weights
    if not w.reliable and not unreliable:
        raise RunError(
            f"the samples of {stored.name!r} do not cover the posterior of {settings.where or settings.name}: "
            f"Pareto k = {w.pareto_k:.2f}, above {RELIABLE_K}; they are worth {w.effective_samples:.0f} samples of it",
            where=str(stored.path),
            remedy="fit the new configuration; or write it all the same with --unreliable",
        )
    warnings = [] if stored.converged else [f"{stored.name}: {stored.summary['verdict']}"]
    warnings += _unseen(stored, posterior, rng)
    target = stored.path.resolve().parent / (name or f"{stored.name}.reweighted.{settings.name}")
    data = [likelihood.data for likelihood in posterior.likelihoods]
    toml = resolved_toml(settings, posterior.model, data)
    differences = tuple(config_differences(stored.path / "config.toml", toml))
    extras = {
        "data_hashes": {table: value for d in data for table, value in d.hashes.items()},
        "description": f"{stored.name} reweighted to {settings.name}",
        "populations": population_records(posterior.model),
        "reweighted": {
            "run": str(stored.path.resolve()),
            "fingerprint": stored.manifest["fingerprint"],
            "pareto_k": w.pareto_k,
            "effective_samples": w.effective_samples,
            "log_evidence_change": w.value,
            "log_evidence_change_error": w.error,
            "differences": differences,
        },
    }
    folder = RunFolder.create(
        target,
        posterior,
        SAMPLER,
        SamplerSettings(seed=seed),
        config_text=toml,
        extras=extras,
        citations=bibliography(data, posterior.model.galaxy, str(stored.manifest["sampler"])),
        overwrite=overwrite,
        quiet=True,
    )
    with folder:
        _write(folder, posterior, stored, result, theta, new)
    return ReweightedRun(stored, read_run(target), result, differences, tuple(warnings))


def _columns(run: Run, posterior: Posterior) -> list[int]:
    """Columns of a run's samples in the order of another posterior's parameters."""
    more = [name for name in posterior.names if name not in run.names]
    fewer = [name for name in run.names if name not in posterior.names]
    if more or fewer:
        said = [f"{what}: {', '.join(names)}" for what, names in (("newly free", more), ("no longer", fewer)) if names]
        raise RunError(
            f"the free parameters are not those of {run.name!r}; {'; '.join(said)}",
            where=str(run.path),
            remedy="reweighting needs the same free parameters: fit the new configuration",
        )
    return [run.names.index(name) for name in posterior.names]


def _unseen(run: Run, posterior: Posterior, rng: np.random.Generator) -> list[str]:
    priors: dict[str, Prior] = {}
    for name, mapping in run.priors.items():
        try:
            priors[name] = prior_from_mapping(mapping)
        except ParameterError:  # of another installation: taken to cover
            continue
    share, beyond = outside_share(posterior.sample_prior(rng, _PRIOR_DRAWS), posterior.names, priors)
    if share <= _UNSEEN:
        return []
    return [
        f"{100 * share:.2g}% of the new prior lies where the old one is zero ({', '.join(beyond)}): what the data "
        "allow there is not seen; the result holds if the posterior ends before"
    ]


def _write(
    folder: RunFolder, posterior: Posterior, old: Run, result: Reweighted, theta: np.ndarray, log_posterior: np.ndarray
) -> None:
    w = result.weights
    tail = f"Pareto k {w.pareto_k:.2f} (reliable up to {RELIABLE_K})" if np.isfinite(w.pareto_k) else "equal weights"
    verdict = f"reweighted from {old.name}: {w.effective_samples:.0f} effective samples, {tail}"
    if not w.reliable:
        verdict = f"not reliable: {verdict}"
    elif w.effective_samples < LEAST_EFFECTIVE:
        verdict = f"too few samples: {verdict}"
    sampled = SamplerResult(
        sampler=SAMPLER,
        samples=theta[result.index][np.newaxis],
        log_posterior=log_posterior[result.index][np.newaxis],
        converged=result.converged and old.converged,
        verdict=verdict,
        n_calls=len(theta),
        seconds=0.0,
        diagnostics={"ess": w.effective_samples, "pareto_k": w.pareto_k, "log_evidence_change": w.value},
        log_evidence=result.log_evidence,
        log_evidence_error=result.log_evidence_error,
    )
    folder.note(verdict)
    samples = sampled.samples[0]
    derived, index = derive(posterior, samples, DERIVED_DRAWS)
    summary = build_summary(posterior, sampled, _maximum(posterior, theta, log_posterior), derived)
    attributes = {
        "name": folder.path.name,
        "fingerprint": posterior.fingerprint,
        "version": __version__,
        "sampler": SAMPLER,
        "converged": int(sampled.converged),
    }
    write_tree(folder.path / "posterior.nc", build_tree(posterior, sampled, derived, index, attributes, summary))
    write_json(folder.path / "summary.json", summary)
    folder.manifest["converged"] = sampled.converged
    folder.end_session("finished", verdict)


def _maximum(posterior: Posterior, theta: np.ndarray, log_posterior: np.ndarray) -> MapResult:
    """The maximum, climbed from the best sample."""
    best = int(np.argmax(log_posterior))
    n, value = posterior.n_dim, float(log_posterior[best])
    start = MapResult(
        theta=theta[best],
        log_posterior=value,
        log_likelihood=float(posterior.log_likelihood(theta[best][np.newaxis])[0]),
        covariance=np.atleast_2d(np.cov(theta, rowvar=False)),
        unit_point=np.full(n, 0.5),
        unit_covariance=np.eye(n),
        unconstrained=0,
        at_edge={},
        start_values=np.array([value]),
        fraction_reached=1.0,
        n_calls=0,
        seconds=0.0,
    )
    return improve_maximum(posterior, start, theta[best])


# ---------------------------------------------------------------------- output


def reweight_report(
    run: Path,
    config: Path,
    name: str | None = None,
    unreliable: bool = False,
    overwrite: bool = False,
    seed: int = 1,
    as_json: bool = False,
) -> ReweightedRun:
    """Reweight a run, and print what came of it, or JSON.

    Raises
    ------
    StellarcrError
        As `reweight_run`.
    """
    found = reweight_run(run, config, name, unreliable=unreliable, overwrite=overwrite, seed=seed)
    if as_json:
        print(json.dumps(found.to_dict()))
        return found
    print_tables([_table(found)], found.warnings)
    for difference in found.differences:
        print(f"changed: {difference}")
    print(found.new)
    print(found.new.path)
    return found


def _table(found: ReweightedRun) -> TextTable:
    r, w = found.result, found.result.weights
    row = (
        text(found.old.name),
        text(found.new.name),
        number(len(found.old.samples), "d"),
        number(w.effective_samples, ".0f"),
        number(w.pareto_k if np.isfinite(w.pareto_k) else None, ".2f"),
        with_error(w.value, w.error, plus=True),
        with_error(r.log_evidence, r.log_evidence_error),
    )
    headers = (" run", " reweighted run", "samples", "worth", "k", "change of ln Z", "ln Z")
    note = (
        "worth: effective samples of the new posterior; k: Pareto shape of the weights, reliable up to "
        f"{RELIABLE_K}, '-' for weights without a tail; change of ln Z +- numerical error; ln Z: of the new posterior, "
        "with the errors of both; '-' if the run has none."
    )
    return TextTable("Reweighting", note, tuple(Cell(h, h.strip()) for h in headers), (row,))
