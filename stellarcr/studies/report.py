"""What `stellarcr check` and `stellarcr spectrum` print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ..config import RunConfig, build_collapsed, build_model, build_posterior, build_space, load_config, load_data
from ..errors import ConfigError
from ..infer.posterior import Posterior
from ..infer.progress import duration
from ..populations.extension import ExtensionShape
from ..species import ELEMENTS, is_ratio
from .check import Expectation, PriorPrediction, expected_cost, model_warnings, prior_predictions
from .fit import sampler_settings
from .panels import figures_of, fitted_tables, spectrum_panels
from .quantities import validity_note
from .spectrum import parse_assignments, reference_parameters, spectrum_table


def check_report(path: Path, plot: Path | None, draws: int, quiet: bool) -> None:
    """Print and draw what a configuration would do.

    Parameters
    ----------
    path : Path
        Configuration.
    plot : Path, optional
        Plot without suffix.
    draws : int
        Prior draws.
    quiet : bool
        Print warnings only.

    Raises
    ------
    StellarcrError
        For anything wrong in it.
    """
    config = load_config(path)
    sampler_settings(config)
    posterior = build_posterior(config)
    collapsed = build_collapsed(config, posterior)  # a posterior that cannot be collapsed is refused here too
    predictions = prior_predictions(posterior, draws, config.seed)
    console = Console(quiet=quiet, width=None if Console().is_terminal else 160)
    console.print(f"[bold]{config.name}[/]" + f": {config.description}" * bool(config.description), highlight=False)
    console.print(_parameter_table(posterior))
    if collapsed is not None:
        console.print(
            f"amplitudes integrated out: {collapsed.n_dim} of {posterior.n_dim} parameters are sampled", highlight=False
        )
    console.print(_data_table(posterior, predictions))
    expectation = expected_cost(posterior, config, collapsed)
    console.print(_cost(posterior, expectation, str(config.sampler.get("name", "emcee"))), highlight=False)
    target = plot or Path(config.output.folder) / f"{config.name}.check" / "prior_predictive"
    written = _draw_prior(posterior, draws, config.seed, target)
    if not written:
        console.print("prior-predictive plot: none, <ln A> is no spectrum", highlight=False)
    for file in written[::2]:
        console.print(f"prior-predictive plot: {file}", highlight=False, soft_wrap=True)
    warnings = Console(stderr=True, soft_wrap=True, highlight=False)
    for prediction in predictions:
        if prediction.far:
            warnings.print(
                f"warning: the prior misses {prediction.name}: the median prediction is 10^{prediction.offset:+.1f} of "
                f"the data, {100 * prediction.inside:.0f}% of the points lie inside its central 95%; "
                "widen or move the priors of the powers and abundances, and check their units",
                markup=False,
            )
    for member in posterior.model.populations:
        if isinstance(member.shape, ExtensionShape) and member.shape.numpy_only:
            warnings.print(
                f"note: the shape of {member.name!r} works with NumPy's arrays only, which every fit uses "
                f"({member.shape.numpy_only}); functions of stellarcr.backend.namespace(rigidity, "
                "*parameters.values()) would let other array libraries in",
                markup=False,
            )
    for message in model_warnings(posterior):
        warnings.print(message, markup=False)


def _parameter_table(posterior: Posterior) -> Table:
    table = Table(title=f"{posterior.n_dim} free parameters", title_justify="left")
    for column in ("parameter", "prior, value or link", "unit", "start", "source"):
        table.add_column(column, overflow="fold")
    for row in posterior.space.table():
        unit = row.unit or ("log10 of " + _linear_unit(posterior, row.name) if "log10_" in row.name else "")
        start = f"{row.reference:.5g}" if row.kind == "free" else ""
        table.add_row(row.name, row.description, unit, start, row.source)
    given = {name.replace("log10_", "") for name in (p.name for p in posterior.space.parameters)}
    for name, info in posterior.model.parameters.items():
        if name not in given:
            table.add_row(name, f"{info.default:g} (default)", info.unit, "", info.source, style="dim")
    return table


def _linear_unit(posterior: Posterior, name: str) -> str:
    return posterior.model.parameters[name.replace("log10_", "")].unit or "number"


def _data_table(posterior: Posterior, predictions: Sequence[PriorPrediction]) -> Table:
    total = sum(p.points for p in predictions)
    table = Table(title=f"{total} points", title_justify="left")
    for column, justify in (
        ("data set", "left"), ("points", "right"), ("axis", "left"), ("range", "left"),
        ("prior median / data", "right"), ("inside prior 95%", "right"), ("reference", "left"),
    ):  # fmt: skip
        table.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    by_name = {p.name: p for p in predictions}
    for likelihood in posterior.likelihoods:
        for t in likelihood.data.tables:
            p = by_name[t.name]
            span = f"{t.x.value.min():.4g} .. {t.x.value.max():.4g} {t.x.unit}"
            table.add_row(
                t.name, str(p.points), t.axis, span, f"10^{p.offset:+.2f}", f"{100 * p.inside:.0f}%", str(t.reference)
            )
    return table


def _cost(posterior: Posterior, expectation: Expectation, sampler: str) -> str:
    name = sampler.rpartition(":")[2]
    return (
        f"one call {expectation.single_us:.0f} us, {expectation.batch_us:.1f} us per point in batches; "
        f"{name} expects about {expectation.calls:.1e} calls, {duration(expectation.seconds)} on one core "
        f"(order of magnitude; assumes {expectation.assumption})"
    )


def _draw_prior(posterior: Posterior, draws: int, seed: int, target: Path) -> Sequence[Path]:
    from ..plots.spectra import spectra_plot
    from ..plots.style import save

    theta = posterior.sample_prior(np.random.default_rng(seed), draws)
    # the sum only: bands of single populations span all decades of their priors and would hide everything
    target.parent.mkdir(parents=True, exist_ok=True)
    tables = fitted_tables(posterior)
    # sums such as all particles have no rigidity: alone, they are drawn where they were measured
    axis = "R" if not tables or any(table.species in ELEMENTS for table in tables) else tables[0].axis
    figures = figures_of(posterior, None, axis) if tables else {}
    written: list[Path] = []
    for content, species in figures.items():
        panels = [
            replace(panel, components={})
            for panel in spectrum_panels(
                posterior, theta, posterior.reference(), species or None, fraction=0.95, axis=content.axis
            )
        ]
        figure = spectra_plot(panels, pulls=False, band_label="Central 95% of the prior")
        written.extend(save(figure, target.with_name(target.name + content.suffix(figures))))
    return written


def print_spectrum(
    config: RunConfig, changes: Sequence[str], species: str, axis: str, at: str, phi: float, as_json: bool
) -> None:
    """Print spectra of a configuration's model.

    Parameters
    ----------
    config : RunConfig
        Configuration.
    changes : sequence of str
        ``name=value``.
    species, axis, at, phi
        As on the command line.
    as_json : bool
        Print JSON.

    Raises
    ------
    StellarcrError
        For anything wrong in configuration or arguments.
    """
    model = build_model(config)
    space = build_space(config, model, load_data(config))
    parameters = reference_parameters(space, model, parse_assignments(changes))
    try:
        x = np.array([float(part) for part in at.split(",") if part.strip()])
    except ValueError:
        raise ConfigError(f"--at {at!r} is not a list of numbers", remedy="write --at 10,100,1000") from None
    names = [name.strip() for name in species.split(",") if name.strip()]
    result = spectrum_table(model, parameters, names, axis, x, phi)
    if as_json:
        print(json.dumps(result))
        return
    console = Console(width=None if Console().is_terminal else 160)
    for name, fluxes in result["flux"].items():
        unit = "" if name == "lnA" or is_ratio(name) else f" [{result['flux_unit']}]"
        table = Table(title=f"{name}{unit}", title_justify="left")
        table.add_column(f"{axis} [{result['x_unit']}]", justify="right")
        for key in fluxes:
            table.add_column(key, justify="right")
        for k, value in enumerate(result["x"]):
            table.add_row(f"{value:.6g}", *(f"{column[k]:.4e}" for column in fluxes.values()))
        console.print(table)
    for note in dict.fromkeys(validity_note(name, axis, float(x.min()), result["x_unit"]) for name in result["flux"]):
        if note:
            print(f"note: {note}")
