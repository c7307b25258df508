"""The array namespace, and the few functions that the Array API lacks.

Kernels are written against ``xp = namespace(array)``: NumPy by default. Any library that follows the
Array API standard (JAX among them) can hand in its arrays and get its own back.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
"""An array of any Array API library; ``numpy.ndarray`` by default."""


def namespace(*arrays: Array) -> Any:
    """Return the array namespace of the first array that has one, NumPy if none does.

    Parameters
    ----------
    *arrays : array or float
        Arguments of a kernel.
    """
    for array in arrays:
        if isinstance(array, np.ndarray | np.generic):
            continue
        get = getattr(array, "__array_namespace__", None)
        if get is not None:
            return get()
    return np


def expanded(array: Array, shape: tuple[int, ...], xp: Any) -> Array:
    """Broadcast an array, at no cost where its shape is right already.

    Parameters
    ----------
    array : array
        What is broadcast.
    shape : tuple of int
        To which shape.
    xp : module
        Its namespace.
    """
    return array if array.shape == shape else xp.broadcast_to(array, shape)


def log_ndtr(x: Array) -> Array:
    """Logarithm of the standard normal distribution function, ln Phi(x).

    Parameters
    ----------
    x : array
        Standardised deviations.
    """
    xp = namespace(x)
    if xp.__name__.startswith("jax"):
        from jax.scipy.special import log_ndtr as jax_log_ndtr

        return jax_log_ndtr(x)
    from scipy.special import log_ndtr as scipy_log_ndtr

    return scipy_log_ndtr(x) if xp is np else xp.asarray(scipy_log_ndtr(np.asarray(x)))
