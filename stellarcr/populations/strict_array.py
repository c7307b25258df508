"""An array that allows what the Array API allows, and nothing else: it shows whether a kernel needs NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

_OPERATORS = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_COMPARISONS = ("lt", "le", "gt", "ge", "eq", "ne")


class StrictArray:
    """Wraps a NumPy array; NumPy's own functions refuse it, those of its namespace do not.

    Parameters
    ----------
    values : numpy.ndarray
        The numbers.
    """

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, values: Any) -> None:
        self.values = np.asarray(values)

    def __array__(self, *arguments: Any, **options: Any) -> np.ndarray:
        raise TypeError("a NumPy function was called on an array of another library")

    def __array_namespace__(self, api_version: str | None = None) -> _Namespace:
        return _NAMESPACE

    def __getitem__(self, key: Any) -> StrictArray:
        return StrictArray(self.values[_plain(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError("arrays cannot be written into")

    def __bool__(self) -> bool:
        raise TypeError("the truth of an array was asked for")

    def __neg__(self) -> StrictArray:
        return StrictArray(-self.values)

    def __pos__(self) -> StrictArray:
        return self

    def __abs__(self) -> StrictArray:
        return StrictArray(np.abs(self.values))

    def __invert__(self) -> StrictArray:
        return StrictArray(~self.values)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.values.ndim

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return self.values.shape

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.values.size

    @property
    def dtype(self) -> np.dtype:
        """Type of the elements."""
        return self.values.dtype


class _Namespace:
    """NumPy's functions, for strict arrays."""

    __name__ = "strict"

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if not callable(found) or isinstance(found, type):
            return found

        def function(*arguments: Any, **options: Any) -> Any:
            return _strict(found(*_plain(arguments), **{key: _plain(value) for key, value in options.items()}))

        return function


_NAMESPACE = _Namespace()


def _plain(value: Any) -> Any:
    if isinstance(value, StrictArray):
        return value.values
    return type(value)(_plain(v) for v in value) if isinstance(value, tuple | list) else value


def _strict(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return StrictArray(value)
    return type(value)(_strict(v) for v in value) if isinstance(value, tuple | list) else value


def _operator(name: str, reflected: bool) -> Callable[[StrictArray, Any], StrictArray]:
    function = getattr(operator, name)

    def method(self: StrictArray, other: Any) -> StrictArray:
        pair = (_plain(other), self.values) if reflected else (self.values, _plain(other))
        return StrictArray(function(*pair))

    return method


for _name in (*_OPERATORS, *_COMPARISONS, "and_", "or_", "xor"):
    setattr(StrictArray, f"__{_name.rstrip('_')}__", _operator(_name, reflected=False))
    if _name not in _COMPARISONS:
        setattr(StrictArray, f"__r{_name.rstrip('_')}__", _operator(_name, reflected=True))
