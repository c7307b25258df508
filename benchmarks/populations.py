"""Which populations do the data ask for? Best chi2 with each one left out, and with a Type Ia remnant added.

    python benchmarks/populations.py [--starts 6]

Prints the best fit of the reference model and of its variants: chi2 by experiment, for the Type Ia remnant by data set.
"""

import argparse
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from stellarcr.config import build_posterior, config_from_mapping
from stellarcr.infer.samplers.map import MapSettings, find_maximum
from stellarcr.likelihood.schema import read_toml

CONFIGS = Path(__file__).resolve().parent.parent / "scripts" / "configs"


def without(content: dict[str, Any], population: str) -> dict[str, Any]:
    """Leave a population out of a configuration, with its parameters, links and constraints."""
    copy = {key: dict(value) if isinstance(value, dict) else value for key, value in content.items()}
    del copy["populations"][population], copy["parameters"][population]
    copy.pop("constraints", None) if "wind" in population else None
    if population == "o_wind":  # the index that Wolf-Rayet winds were linked to
        winds = copy["parameters"]["wr_wind"] = dict(copy["parameters"]["wr_wind"])
        winds["gamma"] = content["parameters"]["o_wind"]["gamma"]
    return copy


def best(content: dict[str, Any], starts: int) -> tuple[Any, dict[str, tuple[float, int]], Any]:
    """Best fit of a configuration: posterior, chi2 by data set, maximum."""
    posterior = build_posterior(config_from_mapping(content, "benchmarks/populations.py"))
    with threadpool_limits(1):
        found = find_maximum(posterior, MapSettings(starts=starts, seed=1))
    terms = posterior.chi2_terms(found.theta[None, :])
    return posterior, {name: (float(value[0]), n) for name, (value, n) in terms.items()}, found


def main() -> None:
    """Fit all variants and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=6)
    arguments = parser.parse_args()
    reference = read_toml(CONFIGS / "reference.toml")
    variants = {"reference": reference}
    variants |= {f"without {p}": without(reference, p) for p in ("o_wind", "wr_wind", "msc")}
    variants |= {
        "snr only": read_toml(CONFIGS / "snr_only.toml"),
        "with type Ia": read_toml(CONFIGS / "reference_ia.toml"),
    }
    tables = {}
    experiments = ("AMS-02", "DAMPE", "NUCLEON", "LHAASO")
    print(f"{'model':<18}{'parameters':>11}{'chi2':>10}{'change':>9}" + "".join(f"{e:>10}" for e in experiments))
    for name, content in variants.items():
        posterior, terms, found = best(content, arguments.starts)
        tables[name] = terms
        total = sum(value for value, _ in terms.values())
        change = total - sum(value for value, _ in tables["reference"].values())
        sums = [sum(v for key, (v, _) in terms.items() if key.startswith(e)) for e in experiments]
        reached = f"{100 * found.fraction_reached:.0f}% of starts"
        print(
            f"{name:<18}{posterior.n_dim:>11}{total:>10.1f}{change:>+9.1f}" + "".join(f"{s:>10.1f}" for s in sums),
            reached,
        )
    print("\nchi2 gained by the Type Ia remnant, by data set (points):")
    for key, (value, n) in tables["reference"].items():
        gain = value - tables["with type Ia"][key][0]
        print(f"  {key:<14}({n:2d}) {gain:+7.1f}" + ("   <-" if abs(gain) > 4.0 else ""))


if __name__ == "__main__":
    main()
