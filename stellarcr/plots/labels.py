"""Labels: units in LaTeX, names with units, numbers with their errors, and text that fits."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from .style import POPULATIONS

_UNIT_PART = re.compile(r"^([A-Za-zµ%°]+)\^?([+-]?\d+(?:\.\d+)?)?$")
LOG10 = r"\log_{10}"
_LOG_OF_RATIO = re.compile(r"\\log_\{10\}\((?P<quantity>.+)/(?P<unit>\{\\rm .+\})\)")


def unit_latex(unit: str) -> str:
    r"""Write a unit with negative powers, ready for a label.

    Parameters
    ----------
    unit : str
        Such as ``erg/yr``, ``cm2/s``, ``1 / (m2 s sr GV)``, ``GV^1.7``; a unit with a ``$`` is left alone.

    Examples
    --------
    >>> unit_latex("erg/yr")
    'erg yr$^{-1}$'
    """
    if "$" in unit:
        return unit
    parts = []
    denominator, group = False, False
    for token in re.findall(r"[()/]|[^\s()/*]+", unit.replace("**", "^")):
        if token == "/":
            denominator = True
        elif token == "(":
            group = True
        elif token == ")":
            denominator, group = False, False
        elif token != "1":
            match = _UNIT_PART.match(token)
            if match is None:
                return unit
            name, power = match.group(1), float(match.group(2) or 1)
            power = -power if denominator else power
            parts.append(name if power == 1 else f"{name}$^{{{power:g}}}$")
            denominator = denominator and group
    return " ".join(parts)


def readable_label(label: str, name: str) -> str:
    r"""Take a LaTeX label as it is if it can be typeset; else write the name upright.

    Parameters
    ----------
    label : str
        LaTeX without dollar signs, perhaps written by a user; may be empty.
    name : str
        Plain name of the same thing.

    Examples
    --------
    >>> readable_label(r"P_{\rm SNR}", "snr.power")
    'P_{\\rm SNR}'
    >>> readable_label(r"P_{\rm SNR", "snr.power")
    '\\mathrm{snr{.}power}'
    """
    if label and _can_be_typeset(label):
        return label
    return r"\mathrm{" + name.replace("_", r"\_").replace(".", "{.}") + "}"


def population_label(name: str, label: str = "") -> str:
    """Name a population in a legend: shipped ones in words, a user's own by its label if that can be typeset.

    Parameters
    ----------
    name : str
        Name of the population.
    label : str
        LaTeX without dollar signs; empty if it is not known.
    """
    if name in POPULATIONS:
        return POPULATIONS[name].label
    return f"${label}$" if label and _can_be_typeset(label) else name.replace("_", " ")


def _can_be_typeset(label: str) -> bool:
    try:
        MathTextParser("path").parse(f"${label}$")
    except ValueError:
        return False
    return "$" not in label


def axis_label(label: str, unit: str = "", *, power_of_ten: int = 0, separator: str = " ") -> str:
    r"""Join a LaTeX label and a unit.

    Parameters
    ----------
    label : str
        LaTeX without dollar signs.
    unit : str
        Unit as text; may be empty.
    power_of_ten : int
        The values were divided by ten to this power.
    separator : str
        What stands between label and unit; a line break for narrow panels.
    """
    if separator == "\n" and not unit and (match := _LOG_OF_RATIO.fullmatch(label)):
        # log10(P/unit) is too long for one line of a narrow panel: the unit goes where other labels have it.
        return f"${LOG10}{match['quantity']}$\n[${match['unit']}$]"
    factor = f"$10^{{{power_of_ten}}}$" if power_of_ten else ""
    inside = " ".join(part for part in (factor, unit_latex(unit)) if part)
    return f"${label}${separator}[{inside}]" if inside else f"${label}$"


def value_with_errors(median: float, minus: float, plus: float) -> str:
    r"""Write a value with the digits that its errors allow: two significant ones of the smaller error.

    Parameters
    ----------
    median, minus, plus : float
        Value and the sizes of its lower and upper errors.

    Examples
    --------
    >>> value_with_errors(48.9134, 0.0118, 0.0231)
    '$48.913^{+0.023}_{-0.012}$'
    """
    errors = [error for error in (minus, plus) if error > 0 and math.isfinite(error)]
    if not errors:
        return f"${median:.4g}$"
    digits = max(0, 1 - math.floor(math.log10(min(errors))))
    # 0.0996 has two significant digits as 0.10, not as 0.100
    if round(min(errors), digits) >= 10.0 ** (2 - digits):
        digits = max(0, digits - 1)
    return f"${median:.{digits}f}^{{+{plus:.{digits}f}}}_{{-{minus:.{digits}f}}}$"


def inner_ticks(low: float, high: float, most: int) -> tuple[list[float], list[str]]:
    """Round positions that keep clear of the ends of an axis, so that the labels of neighbours do not touch.

    Parameters
    ----------
    low, high : float
        Ends of the axis.
    most : int
        Largest number of ticks; at least two are found.

    Returns
    -------
    tuple of (list of float, list of str)
        Positions and their labels, all with the same number of decimals.
    """
    keep = 0.09 * (high - low)
    for intervals in range(most + 1, most + 6):
        for steps in ([1, 2, 5, 10], [1, 2, 2.5, 5, 10]):
            ticks = MaxNLocator(intervals, steps=steps).tick_values(low, high)
            inside = [float(tick) for tick in ticks if low + keep <= tick <= high - keep]
            if len(inside) >= 2:
                inside = inside[:: math.ceil(len(inside) / most)]
                decimals = next(
                    d for d in range(17) if all(math.isclose(t, round(t, d), abs_tol=1e-6 * keep) for t in inside)
                )
                return inside, [f"{tick + 0.0:.{decimals}f}".replace("-", "\N{MINUS SIGN}") for tick in inside]
    middle = 0.5 * (low + high)
    return [middle], [f"{middle:g}"]


def fit_text(figure: Figure, texts: Iterable[tuple[Text, float, bool]], smallest: float = 5.0) -> None:
    """Shrink texts until each fits its room; all get the size of the one that shrinks most.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure, laid out.
    texts : iterable of (Text, float, bool)
        Text, the room [pixels], and whether the room is vertical.
    smallest : float
        Font size below which nothing shrinks [points].
    """
    renderer = FigureCanvasAgg(figure).get_renderer()
    items = [(text, room, vertical) for text, room, vertical in texts if text.get_text()]
    factor = 1.0
    for text, room, vertical in items:
        box = text.get_window_extent(renderer)
        length = box.height if vertical else box.width
        if length > 0:
            factor = min(factor, room / length)
    for text, _, _ in items:
        text.set_fontsize(max(smallest, float(text.get_fontsize()) * factor))


def text_size(text: str, size: float) -> tuple[float, float]:
    """Width and height [points] of a text with a font size [points], in the settings that are in force."""
    figure = Figure(figsize=(1.0, 1.0), dpi=72.0)
    drawn = figure.text(0.0, 0.0, text, fontsize=size)
    box = drawn.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    return float(box.width), float(box.height)


def power_for(values: np.ndarray) -> int:
    """Power of ten to divide out so that tick labels stay short; 0 where they are short anyway."""
    largest = float(np.max(np.abs(values))) if values.size else 0.0
    if largest == 0.0 or not math.isfinite(largest) or 1e-2 <= largest < 1e4:
        return 0
    return math.floor(math.log10(largest))
