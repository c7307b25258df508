"""Expressions of linked parameters: values, names, and everything that they refuse."""

import math
import pickle

import numpy as np
import pytest

from stellarcr.errors import ParameterError
from stellarcr.infer.expressions import Expression

A, B = np.array([0.5, 2.0, 3.5]), np.array([1.0, -2.0, 0.25])
VALUES = {"a": A, "wind.b": B, "snr.abundance.He": 2.0, "log": 7.0}

GOOD = {
    "2.0 * a - 1": 2 * A - 1,
    "a + wind.b": A + B,
    "a / wind.b": A / B,
    "-a ** 2": -(A**2),
    "2 ** -a": 2.0**-A,
    "2 ** 3 ** 2": 512.0,
    "(1 + a) * (wind.b - 3)": (1 + A) * (B - 3),
    "a - wind.b - 1": A - B - 1,
    "a / 2 / 4": A / 8,
    "+a": A,
    "--a": A,
    "exp(a)": np.exp(A),
    "log(a)": np.log(A),
    "log10(100 * a)": 2 + np.log10(A),
    "sqrt(a) * exp(-wind.b)": np.sqrt(A) * np.exp(-B),
    "min(a, wind.b)": np.minimum(A, B),
    "max(a, wind.b, 1)": np.maximum(np.maximum(A, B), 1),
    "snr.abundance.He": 2.0,
    "snr.abundance.He * 1e3": 2000.0,
    "log(log)": math.log(7.0),
    "  a  ": A,
    "10 ** 2.5": 10**2.5,
}


@pytest.mark.parametrize(("text", "expected"), GOOD.items())
def test_values(text, expected):
    value = Expression(text).evaluate(VALUES)
    np.testing.assert_allclose(value, expected, rtol=1e-15)
    assert np.shape(value) == np.shape(expected)


def test_names_in_order_of_appearance():
    assert Expression("wind.b + a * wind.b - snr.abundance.He").names == ("wind.b", "a", "snr.abundance.He")
    assert Expression("1 + 2").names == ()
    assert Expression("log(log)").names == ("log",)


@pytest.mark.parametrize(
    ("text", "check"),
    [("1 / (a - a)", np.isinf), ("log(-a)", np.isnan), ("(0 - a) ** 0.5", np.isnan), ("exp(2000 * a)", np.isinf)],
)
def test_impossible_arithmetic_gives_infinity_or_nan_quietly(text, check):
    assert np.all(check(Expression(text).evaluate(VALUES)))
    assert check(Expression(text).evaluate({"a": 2.0}))


def test_pickling_and_equality():
    expression = Expression("2 * a + exp(wind.b)")
    copy = pickle.loads(pickle.dumps(expression))
    assert copy == expression
    np.testing.assert_array_equal(copy.evaluate(VALUES), expression.evaluate(VALUES))


BAD = {
    "": [],
    "a +": ["a +"],
    "a b": ["a b"],
    "a = 1": ["a = 1"],
    "sin(a)": ["'sin'", "'min'"],
    "a.sqrt(2)": ["a.sqrt"],
    "__import__('os').system('true')": ["__import__"],
    "(lambda: 1)()": ["lambda"],
    "a if a else 1": ["if"],
    "a < 1": ["a < 1"],
    "a and 1": ["and"],
    "not a": ["not a"],
    "[a]": ["[a]"],
    "a[0]": ["a[0]"],
    "(1).real": ["1"],
    "'text'": ["'text'"],
    "True": ["True"],
    "1j": ["1j"],
    "1e400": ["1e"],
    "9" * 400: ["999"],
    "a // 2": ["a // 2"],
    "a % 2": ["a % 2"],
    "~a": ["~a"],
    "(b := a)": [":="],
    "sqrt()": ["sqrt", "one"],
    "sqrt(a, a)": ["sqrt", "one"],
    "sqrt(x=a)": ["sqrt"],
    "min(a)": ["min", "two"],
    "min(*a)": ["*a"],
    "f'{a}'": ["f'"],
    "(" * 300 + "a" + ")" * 300: ["cannot read"],
    "a + " * 300 + "a": ["characters"],
    "a\0": ["cannot read"],
}


@pytest.mark.parametrize(("text", "words"), BAD.items())
def test_anything_else_is_refused(text, words):
    with pytest.raises(ParameterError) as caught:
        Expression(text, where="parameter 'x'")
    message = str(caught.value)
    assert "parameter 'x'" in message
    assert caught.value.remedy
    for word in words:
        assert word in message


def test_not_a_string():
    with pytest.raises(ParameterError, match="float"):
        Expression(2.0)


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(ParameterError) as caught:
        Expression("2 * o_wind.gama", where="parameter 'wr.gamma'").check_names(["o_wind.gamma", "snr.gamma1"])
    assert "'o_wind.gama'" in str(caught.value)
    assert "'o_wind.gamma'" in caught.value.remedy
    Expression("2 * o_wind.gamma").check_names(["o_wind.gamma"])
