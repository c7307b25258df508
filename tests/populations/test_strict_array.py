"""The array that shows whether a kernel needs NumPy: it computes like NumPy, and refuses NumPy."""

import numpy as np
import pytest

from stellarcr.backend import namespace
from stellarcr.populations.strict_array import StrictArray

VALUES = np.array([[1.0, -2.0, 3.0]])
OTHER = np.array([[0.5], [4.0]])

KERNELS = {
    "operators": lambda x, y: (x + y) * (2.0 - x) / (y**2.0) - -x,
    "reflected": lambda x, y: 1.0 / y + OTHER * x,
    "comparison": lambda x, y: namespace(x).where((x > y) | ~(x <= 0.0), abs(x), y),
    "functions": lambda x, y: namespace(x).exp(namespace(x).maximum(x, y)),
    "reduction": lambda x, y: namespace(x).sum(x[..., None] * y[0, :], axis=-1),
    "stack": lambda x, y: namespace(x).stack([x[0, :2], y[:, 0]], axis=-1),
}


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_computes_like_numpy(kernel):
    found = kernel(StrictArray(VALUES), StrictArray(OTHER))
    assert isinstance(found, StrictArray)
    np.testing.assert_array_equal(found.values, kernel(VALUES, OTHER))
    assert (found.shape, found.ndim, found.size) == (found.values.shape, found.values.ndim, found.values.size)


REFUSED = {
    "a function": np.exp,
    "a function of several": lambda x: np.where(x > 0, x, 0.0),
    "a conversion": np.asarray,
    "a branch": lambda x: 1.0 if x > 0 else 2.0,
    "writing": lambda x: x.__setitem__(0, 1.0),
}


@pytest.mark.parametrize("kernel", REFUSED.values(), ids=REFUSED)
def test_refuses_what_other_libraries_cannot(kernel):
    with pytest.raises(TypeError):
        kernel(StrictArray(VALUES))
