"""How well fragments are interpolated in energy inside a fit.

Run it with:  python benchmarks/fragments.py

Printed is the largest error of an element's flux at any rigidity that data see, isotopes' errors added up: at the
reference point, where the number of energies is chosen, and at draws from the prior.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stellarcr.config import RunConfig, build_posterior, load_config
from stellarcr.infer.posterior import Posterior
from stellarcr.likelihood.fragment_energies import by_element, element_densities, energies

CONFIGS = Path(__file__).resolve().parents[1] / "scripts" / "configs"
DRAWS = 12
PER_DECADE = 48


def errors(posterior: Posterior, values: Mapping[str, Any]) -> np.ndarray:
    """Errors relative to the elements' fluxes at one point, all targets and rigidities."""
    table = posterior.sources
    assert table.arrivals is not None
    assert table.arrivals.fragments is not None
    fragments = table.arrivals.fragments
    components = table.model.local_values(values)
    flat = np.ascontiguousarray(table.injected(components, 1, np)[0].reshape(-1, 1))
    propagation = components["galaxy"] if fragments.free else fragments.defaults
    finest = replace(fragments, energy=energies(fragments.energy[0], fragments.energy[-1], PER_DECADE))
    exact = finest.densities(flat, propagation)[:, 0]
    wrong = np.abs(fragments.densities(flat, propagation)[:, 0] - exact)
    numbers = {k: float(np.ravel(v)[0]) for k, v in components["galaxy"].items()}
    scale = element_densities(replace(fragments, defaults=numbers), exact, flat[:, 0])
    return by_element(fragments, wrong) / scale


def report(label: str, config: RunConfig) -> None:
    """Print one line."""
    posterior = build_posterior(config)
    assert posterior.sources.arrivals is not None
    assert posterior.sources.arrivals.fragments is not None
    fragments = posterior.sources.arrivals.fragments
    here = errors(posterior, posterior.space.resolve(posterior.reference()[None]))
    line = f"{label:46s} {len(fragments.energy):8d}  {here.max():12.1e}"
    if fragments.free:
        points = posterior.sample_prior(np.random.default_rng(1), DRAWS)
        drawn = [errors(posterior, posterior.space.resolve(point[None])) for point in points]
        worst = [e.max() for e in drawn]
        rms = np.sqrt(np.mean(np.concatenate(drawn) ** 2))
        line += f"  {np.median(worst):7.1e}, {max(worst):7.1e}  {rms:7.1e}"
    print(line)


def main() -> None:
    """Print the table."""
    print(f"{'fit':46s} energies  at reference  {DRAWS} draws: median, largest, rms over rigidities")
    propagation, joint, reference = (
        load_config(CONFIGS / f"{name}.toml") for name in ("propagation", "joint", "reference")
    )
    report("propagation.toml", propagation)
    smooth = {"galaxy": {"preset": "plain-diffusion", "smoothness": 0.1}}
    report("propagation.toml, smoothness = 0.1", propagation.model_copy(update=smooth))
    parameters = copy.deepcopy(dict(propagation.parameters))
    parameters["snr"] = {**parameters["snr"], "R_br": 100.0, "gamma1": -2.5, "gamma2": -2.2}
    report("propagation.toml, sources break at 100 GV", propagation.model_copy(update={"parameters": parameters}))
    report("joint.toml", joint)
    network = {"galaxy": {"preset": "plain-diffusion"}}
    report("reference.toml with a network, fixed", reference.model_copy(update=network))


if __name__ == "__main__":
    main()
