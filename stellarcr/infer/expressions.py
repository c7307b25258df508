"""Arithmetic expressions that link one parameter to others, evaluated without `eval`.

``Expression("2.0 * o_wind.log10_R_max - 1")`` is parsed once into a short program for a stack machine:
plain tuples, which pickle, and which run on arrays of any Array API library.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from stellarcr.backend import Array, namespace
from stellarcr.errors import ParameterError, nearest

LONGEST = 1000  # characters; longer ones are mistakes, and could exhaust the parser

_OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.Pow: "**",
    ast.USub: "negative",
}

_ACTIONS: dict[str, Callable[..., Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "**": lambda a, b: a**b,
    "negative": lambda a: -a,
    "exp": lambda a: namespace(a).exp(a),
    "log": lambda a: namespace(a).log(a),
    "log10": lambda a: namespace(a).log10(a),
    "sqrt": lambda a: namespace(a).sqrt(a),
    "min": lambda *a: reduce(lambda x, y: namespace(x, y).minimum(x, y), a),
    "max": lambda *a: reduce(lambda x, y: namespace(x, y).maximum(x, y), a),
}

FUNCTIONS = ("exp", "log", "log10", "sqrt", "min", "max")
"""Functions that an expression may call; ``log`` is the natural logarithm."""

Step = tuple[str, Any, int]
"""One step of the program: ("number", value, 0), ("name", name, 0) or ("call", action, arguments)."""


@dataclass(frozen=True)
class Expression:
    """An arithmetic expression of parameters.

    It may hold numbers, names of parameters with their dots, ``+ - * / **``, parentheses, and the functions
    exp, log (natural), log10, sqrt, min and max.

    Parameters
    ----------
    text : str
        The expression.
    where : str, optional
        What it belongs to; named in errors.

    Raises
    ------
    ParameterError
        If the text holds anything else.
    """

    text: str
    where: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise self._error(f"a link is a string, not the {type(self.text).__name__} {self.text!r}")
        if len(self.text) > LONGEST:
            raise self._error(f"the expression has {len(self.text)} characters, more than {LONGEST}")
        self.program  # noqa: B018  (parse now, so that a mistake shows where it was made)

    @cached_property
    def program(self) -> tuple[Step, ...]:
        """The steps of the stack machine."""
        try:
            tree = ast.parse(self.text.strip(), mode="eval")
            return tuple(self._steps(tree.body))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise self._error(f"cannot read the expression {self.text!r}: {reason}") from None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names that the expression depends on, in order of appearance."""
        return tuple(dict.fromkeys(value for action, value, _ in self.program if action == "name"))

    def evaluate(self, values: Mapping[str, Any]) -> Array:
        """Evaluate for given values of the parameters.

        Parameters
        ----------
        values : mapping of str to float or array
            At least the parameters in `names`; arrays must broadcast.

        Returns
        -------
        float or array
            Infinite or NaN where the arithmetic is (a logarithm of a negative number, a division by zero).
        """
        (action, value, _), *rest = self.program
        if not rest:
            return values[value] if action == "name" else value
        stack: list[Any] = []
        with np.errstate(all="ignore"):
            for action, value, count in self.program:
                if action == "number":
                    stack.append(value)
                elif action == "name":
                    stack.append(values[value])
                else:
                    arguments = stack[-count:]
                    del stack[-count:]
                    stack.append(_apply(_ACTIONS[value], arguments))
        return stack[0]

    def check_names(self, known: Iterable[str]) -> None:
        """Refuse the expression if it depends on a name that is not known.

        Raises
        ------
        ParameterError
            With the nearest names.
        """
        names = tuple(known)
        for name in self.names:
            if name not in names:
                raise self._error(
                    f"the expression {self.text!r} depends on {name!r}, which is not a parameter",
                    nearest(name, names),
                )

    def _steps(self, node: ast.expr) -> list[Step]:
        """Translate one node of the syntax tree."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                raise self._refusal(node)
            number = float(node.value) if abs(node.value) < 1e308 else math.inf
            if not math.isfinite(number):
                raise self._refusal(node)
            return [("number", number, 0)]
        if isinstance(node, ast.Name | ast.Attribute):
            return [("name", self._dotted(node), 0)]
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return [*self._steps(node.left), *self._steps(node.right), ("call", _OPERATORS[type(node.op)], 2)]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            steps = self._steps(node.operand)
            return steps if isinstance(node.op, ast.UAdd) else [*steps, ("call", "negative", 1)]
        if isinstance(node, ast.Call):
            return self._call(node)
        raise self._refusal(node)

    def _call(self, node: ast.Call) -> list[Step]:
        name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
        if name not in FUNCTIONS:
            raise self._error(
                f"the expression {self.text!r} calls {name!r}, which is not a known function",
                nearest(name, FUNCTIONS),
            )
        several = name in ("min", "max")
        count = len(node.args)
        if node.keywords or (count < 2 if several else count != 1):
            wanted = "two or more arguments" if several else "one argument"
            raise self._error(f"{name} takes {wanted} in the expression {self.text!r}")
        return [*(step for argument in node.args for step in self._steps(argument)), ("call", name, count)]

    def _dotted(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Attribute):
            return f"{self._dotted(node.value)}.{node.attr}"
        raise self._refusal(node)

    def _refusal(self, node: ast.expr) -> ParameterError:
        return self._error(f"the expression {self.text!r} may not contain {ast.unparse(node)!r}")

    def _error(self, problem: str, remedy: str = "") -> ParameterError:
        allowed = f"use numbers, parameter names, + - * / ** ( ) and {', '.join(FUNCTIONS)}"
        return ParameterError(problem, where=self.where, remedy=remedy or allowed)


def _apply(action: Callable[..., Any], arguments: list[Any]) -> Any:
    """Apply one action; to floats with the arithmetic of arrays, which gives infinity or NaN and never raises."""
    if all(isinstance(argument, float) for argument in arguments):
        return float(action(*(np.float64(argument) for argument in arguments)))
    return action(*arguments)
