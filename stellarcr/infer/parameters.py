"""Parameters of a fit, and the space that they span.

A parameter is free (it has a prior), fixed (it has a value) or linked (it is an expression of others). A
`ParameterSpace` holds them all, in order, with the constraints between them: it gives the log-prior, the
map from the unit cube, draws, and the value of every parameter by name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError

from .constraints import OrderConstraint, OrderedPrior
from .expressions import Expression
from .parameter import Parameter
from .parameter_checks import check_constraints, check_names, order_links
from .priors import Prior
from .priors.base import quantiles_with_edges

__all__ = ["OrderConstraint", "Parameter", "ParameterRow", "ParameterSpace"]

ONE_SIGMA_TAIL = 0.15865525393145705  # probability of a normal distribution beyond one standard deviation


class ParameterRow(NamedTuple):
    """One line of `ParameterSpace.table`."""

    name: str
    kind: str
    description: str
    unit: str
    reference: float
    source: str


class _Family(NamedTuple):
    """Free parameters that one kernel evaluates together."""

    kernel: Any
    columns: slice | np.ndarray
    arguments: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class ParameterSpace:
    """All parameters of a fit, and the normalised prior of the free ones.

    Parameters
    ----------
    parameters : sequence of Parameter
        Free, fixed and linked ones; the free ones span theta in this order.
    constraints : sequence of OrderConstraint, optional
        Part of the prior, which stays normalised. Each needs free parameters that are in no other one.

    Raises
    ------
    ParameterError
        For duplicate or unknown names, links in a circle, no free parameter, an impossible order, and
        reference values that violate a constraint or give no finite link.
    """

    parameters: tuple[Parameter, ...]
    constraints: tuple[OrderConstraint, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "constraints", tuple(self.constraints))
        check_names(self.parameters)
        check_constraints(self.parameters, self.constraints)
        # Computed here, so that whatever is impossible is refused before it is used.
        values = self.resolve(self._reference[None, :])
        for name, expression in self._all_links:
            if not np.all(np.isfinite(values[name])):
                raise ParameterError(
                    f"parameter {name!r}: {expression.text!r} is {float(np.ravel(values[name])[0])} "
                    "at the reference values",
                    remedy="change the expression, or the reference values of "
                    + (", ".join(expression.names) or "its numbers"),
                )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters, in the order of theta."""
        return tuple(parameter.name for parameter in self._free)

    @property
    def labels(self) -> tuple[str, ...]:
        """LaTeX labels of the free parameters, without dollar signs."""
        return tuple(parameter.latex for parameter in self._free)

    @property
    def units(self) -> tuple[str, ...]:
        """Units of the free parameters."""
        return tuple(parameter.unit for parameter in self._free)

    @property
    def n_dim(self) -> int:
        """Number of free parameters."""
        return len(self._free)

    def log_prior(self, theta: Array) -> Array:
        """Natural logarithm of the normalised prior.

        Parameters
        ----------
        theta : array, shape (n, n_dim)
            Values of the free parameters, of any Array API library.

        Returns
        -------
        array, shape (n,)
            ``-inf`` outside the prior and where a value is NaN.
        """
        xp = namespace(theta)
        self._check_shape(theta)
        low, high, medians = self._density_edges
        inside = (theta >= xp.asarray(low)) & (theta <= xp.asarray(high))
        # Keeps the kernels, and their derivatives, away from values that they are not made for.
        safe = xp.where(inside, theta, xp.asarray(medians))
        terms = [
            kernel(_take(safe, columns), *(xp.asarray(argument) for argument in arguments))
            for kernel, columns, arguments in self._densities
        ]
        checks = [inside]
        if self._orders:
            pairs = xp.take(theta, xp.asarray(self._neighbours), axis=1)
            half = pairs.shape[1] // 2
            checks.append(pairs[:, half:] > pairs[:, :half])
        terms.extend(xp.where(check, xp.asarray(0.0), -math.inf) for check in checks)
        return self._log_constant + xp.sum(xp.concat(terms, axis=1), axis=1)

    def log_prior_terms(self, theta: np.ndarray) -> np.ndarray:
        """Natural logarithm of the prior of each free parameter by itself.

        Parameters
        ----------
        theta : array, shape (n, n_dim)
            Values of the free parameters.

        Returns
        -------
        array, shape (n, n_dim)
            ``-inf`` outside a prior's support. Orders between parameters, and their normalisation, are left out.
        """
        self._check_shape(theta)
        low, high, medians = self._density_edges
        inside = (theta >= low) & (theta <= high)
        safe = np.where(inside, theta, medians)
        terms = np.broadcast_to(self._log_constants, theta.shape).copy()
        for kernel, columns, arguments in self._densities:
            terms[:, columns] += kernel(_take(safe, columns), *arguments)
        return np.where(inside, terms, -np.inf)

    def prior_transform(self, u: np.ndarray) -> np.ndarray:
        """Map the unit cube onto the prior, so that uniform points become draws.

        Parameters
        ----------
        u : array, shape (n, n_dim)
            Points of the unit cube.

        Returns
        -------
        array, shape (n, n_dim)
        """
        u = np.asarray(u, dtype=float)
        self._check_shape(u)
        theta = quantiles_with_edges(u, self._unordered_quantiles, *self._supports)
        for columns, ordered in self._orders:
            theta[:, columns] = ordered.transform(u[:, columns])
        return theta

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw ``n`` points from the prior, shape (n, n_dim).

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        n : int
            Number of points.
        """
        return self.prior_transform(rng.random((n, self.n_dim)))

    def reference(self) -> np.ndarray:
        """Return the reference value of each free parameter: its value if given, else a prior median."""
        return self._reference.copy()

    def widths(self) -> np.ndarray:
        """Return the prior's standard deviation of each free parameter, a scale to start searches with.

        Where a prior has none, half the width of its central 68.27%; for ordered parameters, that of the
        ordered prior to about a percent.
        """
        widths = np.array([prior.width for prior in self._priors])
        for k in np.flatnonzero(~np.isfinite(widths)):
            widths[k] = 0.5 * (self._priors[k].isf(ONE_SIGMA_TAIL) - self._priors[k].ppf(ONE_SIGMA_TAIL))
        for columns, ordered in self._orders:
            widths[columns] = ordered.widths()
        return widths

    def resolve(self, theta: Array) -> dict[str, Any]:
        """Give every parameter its value.

        Parameters
        ----------
        theta : array, shape (n, n_dim)
            Values of the free parameters.

        Returns
        -------
        dict of str to float or array
            All parameters in the order given: free ones with shape (n,), fixed ones as floats, linked ones
            as whichever their expression gives.
        """
        self._check_shape(theta)
        values = self._constants.copy()
        for column, name in enumerate(self.names):
            values[name] = theta[:, column]
        for name, expression in self._links:
            values[name] = expression.evaluate(values)
        return values

    def table(self) -> list[ParameterRow]:
        """Describe every parameter, for printing.

        Returns
        -------
        list of ParameterRow
            Name; kind; prior, value or link as text; unit; reference value; source.
        """
        values = self.resolve(self._reference[None, :])
        orders = {name: order.describe() for order in self.constraints for name in order.names}
        rows = []
        for parameter in self.parameters:
            description = parameter.describe()
            if parameter.name in orders:
                description += f", with {orders[parameter.name]}"
            reference = float(np.ravel(values[parameter.name])[0])
            row = parameter.name, parameter.kind, description, parameter.unit, reference, parameter.source
            rows.append(ParameterRow(*row))
        return rows

    @cached_property
    def _free(self) -> tuple[Parameter, ...]:
        return tuple(parameter for parameter in self.parameters if parameter.prior is not None)

    @cached_property
    def _priors(self) -> tuple[Prior, ...]:
        return tuple(parameter.prior for parameter in self.parameters if parameter.prior is not None)

    @cached_property
    def _orders(self) -> tuple[tuple[np.ndarray, OrderedPrior], ...]:
        """Columns and joint prior of each constraint."""
        columns = [[self.names.index(name) for name in order.names] for order in self.constraints]
        return tuple(
            (np.array(ks), order.bind([self._priors[k] for k in ks]))
            for ks, order in zip(columns, self.constraints, strict=True)
        )

    @cached_property
    def _neighbours(self) -> np.ndarray:
        """Columns of all smaller, then all next larger parameters of the orders."""
        smaller = [columns[:-1] for columns, _ in self._orders]
        return np.concatenate([*smaller, *(columns[1:] for columns, _ in self._orders)])

    @cached_property
    def _supports(self) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.array([prior.support for prior in self._priors]).T
        return low, high

    @cached_property
    def _density_edges(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the density kernels may be evaluated, and a point that is safe."""
        low, high = np.array([prior.density_edges for prior in self._priors]).T
        return low, high, np.array([prior.median for prior in self._priors])

    @cached_property
    def _densities(self) -> tuple[_Family, ...]:
        """Log-density kernels; families of constant density need none."""
        members = [(k, *prior.density()[:2]) for k, prior in enumerate(self._priors)]
        return _group([member for member in members if member[1] is not None])

    @cached_property
    def _log_constants(self) -> np.ndarray:
        return np.array([prior.density().log_constant for prior in self._priors])

    @cached_property
    def _log_constant(self) -> float:
        return math.fsum([*self._log_constants, *(-ordered.log_normalisation for _, ordered in self._orders)])

    @cached_property
    def _quantiles(self) -> tuple[_Family, ...]:
        """Quantile kernels of the parameters without constraint."""
        ordered = {int(k) for columns, _ in self._orders for k in columns}
        members = [(k, *prior.quantile()) for k, prior in enumerate(self._priors)]
        return _group([member for member in members if member[0] not in ordered])

    def _unordered_quantiles(self, u: np.ndarray) -> np.ndarray:
        """Evaluate the quantile kernels inside (0, 1); ordered parameters are left at zero."""
        theta = np.zeros_like(u)
        for kernel, columns, arguments in self._quantiles:
            theta[:, columns] = kernel(u[:, columns], *arguments)
        return theta

    @cached_property
    def _reference(self) -> np.ndarray:
        values = [parameter.value for parameter in self._free]
        medians = [prior.median for prior in self._priors]
        reference = np.array([m if v is None else v for v, m in zip(values, medians, strict=True)])
        for (columns, ordered), constraint in zip(self._orders, self.constraints, strict=True):
            if all(values[k] is None for k in columns):
                reference[columns] = ordered.transform(np.full(len(columns), 0.5))
            elif not np.isfinite(ordered.logpdf(reference[columns])):
                shown = ", ".join(f"{self.names[k]} = {reference[k]:g}" for k in columns)
                raise ParameterError(
                    f"the reference values {shown} violate the order {constraint.describe()}",
                    remedy="give all of them values in this order, or none (a median stands in for a missing one)",
                )
        return reference

    @cached_property
    def _constants(self) -> dict[str, Any]:
        """Every parameter in order, with the values that do not depend on theta filled in."""
        constants: dict[str, Any] = {p.name: None if p.kind != "fixed" else p.value for p in self.parameters}
        for name, expression in self._all_links:
            if all(constants[other] is not None for other in expression.names):
                constants[name] = float(expression.evaluate(constants))
        return constants

    @cached_property
    def _all_links(self) -> tuple[tuple[str, Expression], ...]:
        return order_links(self.parameters)

    @cached_property
    def _links(self) -> tuple[tuple[str, Expression], ...]:
        """Links that depend on free parameters, each after those that it depends on."""
        return tuple(link for link in self._all_links if self._constants[link[0]] is None)

    def _check_shape(self, theta: Array) -> None:
        if theta.ndim != 2 or theta.shape[1] != self.n_dim:
            raise ParameterError(
                f"points have shape {tuple(theta.shape)}, not (n, {self.n_dim})",
                remedy=f"give one row per point, with {', '.join(self.names)}",
            )


def _group(members: Sequence[tuple[int, Any, tuple[float, ...]]]) -> tuple[_Family, ...]:
    """Join the columns of one kernel, and stack their arguments."""
    families: dict[Any, list[tuple[int, tuple[float, ...]]]] = {}
    for column, kernel, arguments in members:
        families.setdefault(kernel, []).append((column, arguments))
    groups = []
    for kernel, group in families.items():
        columns = np.array([column for column, _ in group])
        adjoin = columns[-1] - columns[0] == len(columns) - 1
        selection = slice(int(columns[0]), int(columns[-1]) + 1) if adjoin else columns
        stacked = tuple(np.array(values) for values in zip(*(arguments for _, arguments in group), strict=True))
        groups.append(_Family(kernel, selection, stacked))
    return tuple(groups)


def _take(theta: Array, columns: slice | np.ndarray) -> Array:
    if isinstance(columns, slice):
        return theta[:, columns]
    xp = namespace(theta)
    return xp.take(theta, xp.asarray(columns), axis=1)
