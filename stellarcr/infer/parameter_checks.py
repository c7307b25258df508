"""Whether parameters fit together: their names, links and constraints."""

from __future__ import annotations

from collections.abc import Sequence
from graphlib import CycleError, TopologicalSorter

from stellarcr.errors import ParameterError, nearest

from .constraints import OrderConstraint
from .expressions import Expression
from .parameter import Parameter


def check_names(parameters: Sequence[Parameter]) -> None:
    """Refuse duplicate names, links to unknown names, and a space without a free parameter.

    Raises
    ------
    ParameterError
        With the name, and the nearest ones where it is unknown.
    """
    names = [parameter.name for parameter in parameters]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(
                f"parameter {name!r} is given {names.count(name)} times", remedy="remove or rename all but one"
            )
    for parameter in parameters:
        if parameter.expression is not None:
            parameter.expression.check_names(names)
    if all(parameter.kind != "free" for parameter in parameters):
        raise ParameterError("no parameter is free", remedy="give at least one parameter a prior")


def check_constraints(parameters: Sequence[Parameter], constraints: Sequence[OrderConstraint]) -> None:
    """Refuse constraints on parameters that are unknown, not free, or constrained twice.

    Raises
    ------
    ParameterError
        With the constraint and the name.
    """
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    taken: dict[str, str] = {}
    for constraint in constraints:
        shown = constraint.describe()
        for name in constraint.names:
            if name not in kinds:
                raise ParameterError(
                    f"the order {shown!r} names {name!r}, which is not a parameter",
                    remedy=nearest(name, (known for known, kind in kinds.items() if kind == "free")),
                )
            if kinds[name] != "free":
                raise ParameterError(
                    f"the order {shown!r} names {name!r}, which is {kinds[name]}",
                    remedy="give it a prior, or remove it from the order",
                )
            if name in taken:
                raise ParameterError(
                    f"parameter {name!r} is in two orders: {taken[name]!r} and {shown!r}",
                    remedy="join the two orders into one, or remove it from one of them",
                )
            taken[name] = shown


def order_links(parameters: Sequence[Parameter]) -> tuple[tuple[str, Expression], ...]:
    """Return the links, each after those that it depends on.

    Raises
    ------
    ParameterError
        If links depend on each other in a circle.
    """
    links = {p.name: p.expression for p in parameters if p.expression is not None}
    try:
        order = TopologicalSorter({name: link.names for name, link in links.items()}).static_order()
        return tuple((name, links[name]) for name in order if name in links)
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ParameterError(
            f"parameters are linked in a circle: {circle}",
            remedy="give one of them a prior or a value instead of its link",
        ) from None
