"""Evidence of stored runs by importance sampling."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import AsJson, Runs


def evidence(
    runs: Runs,
    draws: Annotated[int, typer.Option(help="Fresh draws for the estimate; the error falls as their root.")] = 50_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws.", min=0)] = 0,
    processes: Annotated[int, typer.Option(min=1, help="Processes that share the work.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Evidence of any run, chains included, by importance sampling; tests the insertion ranks of nested runs.

    A mixture is fitted to the run's samples; fresh draws from it give ln Z with an honest error, whatever the sampler.
    The verdict rests on the Pareto k of the weights, the effective number of draws, and bridge sampling. What is found
    is kept as evidence.json in the run's folder.
    """
    from ..studies.evidence import evidence_report

    evidence_report(runs, draws=draws, seed=seed, processes=processes, as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(evidence)
