"""Time the parameter space of a fit of the reference model's size: `python benchmarks/parameters.py`."""

from __future__ import annotations

import timeit

import numpy as np

from stellarcr.infer.parameters import OrderConstraint, Parameter, ParameterSpace
from stellarcr.infer.priors import LogNormal, TruncatedNormal, Uniform


def reference_space() -> ParameterSpace:
    free = [Parameter(f"uniform{k}", prior=Uniform(k, k + 2)) for k in range(11)]
    free += [Parameter(f"abundance{k}", prior=LogNormal(1.0, 0.5)) for k in range(8)]
    free += [Parameter(f"phi{k}", prior=TruncatedNormal(0.6, 0.15, 0.0)) for k in range(2)]
    others = [Parameter("R_br", value=10.0), Parameter("gamma", linked="uniform3")]
    return ParameterSpace([*free, *others], [OrderConstraint(["uniform5", "uniform6"])])


def microseconds(function, *arguments) -> float:
    return 1e6 * min(timeit.repeat(lambda: function(*arguments), number=50, repeat=100)) / 50


if __name__ == "__main__":
    space = reference_space()
    u = np.random.default_rng(1).random((1000, space.n_dim))
    theta = space.prior_transform(u)
    print(f"{space.n_dim} free parameters; microseconds per call")
    print("points  log_prior  resolve  prior_transform")
    for n in (1, 64, 1000):
        times = (
            microseconds(space.log_prior, theta[:n]),
            microseconds(space.resolve, theta[:n]),
            microseconds(space.prior_transform, u[:n]),
        )
        print(f"{n:6d}  {times[0]:9.1f}  {times[1]:7.1f}  {times[2]:15.1f}")
