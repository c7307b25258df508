"""A LaTeX table of a run's parameters, with numbers rounded as their errors allow."""

from __future__ import annotations

import math
import re

from ..infer.runs import Run

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: rf"\{character}" for character in "&%$#_{}"},
}

LARGEST, SMALLEST = 1e5, 1e-3
"""Numbers outside this range are written with a power of ten (project choice)."""


def parameter_table(run: Run) -> str:
    """Write a table of medians and central 68 % intervals.

    Parameters
    ----------
    run : Run
        A finished run.

    Returns
    -------
    str
        A ``table`` environment; it needs no package.
    """
    rows = []
    for name, label, unit in zip(run.names, run.labels, run.units, strict=True):
        row = run.summary["parameters"][name]
        low, high = row["interval_68"]
        rows.append(
            rf"${label}$ & ${value_with_errors(row['median'], high - row['median'], row['median'] - low)}$ "
            rf"& {unit_text(unit)} \\"
        )
    caption = (
        f"Run {escape(run.name)}: medians and central 68\\% intervals of the posterior"
        + ("" if run.converged else " (the sampler had not converged)")
        + "."
    )
    if run.log_evidence is not None and run.log_evidence_error is not None:
        caption += rf" $\ln Z = {value_with_errors(run.log_evidence, *2 * (run.log_evidence_error,))}$."
    return "\n".join(
        [
            f"% stellarcr {run.manifest.get('version', 'unknown')}: {run.summary['verdict']}",
            r"\begin{table}",
            rf"  \caption{{{caption}}}",
            r"  \begin{tabular}{lll}",
            r"    \hline",
            r"    Parameter & Median and 68\% interval & Unit \\",
            r"    \hline",
            *(f"    {row}" for row in rows),
            r"    \hline",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def value_with_errors(value: float, plus: float, minus: float) -> str:
    r"""Write a number with its errors in LaTeX's mathematics.

    Two significant digits are kept of the smaller error that is above zero, and as many decimals of the number.
    Errors that read the same become one.

    Examples
    --------
    >>> value_with_errors(48.45231, 0.00318, 0.00291)
    '48.4523_{-0.0029}^{+0.0032}'
    >>> value_with_errors(3.7421e28, 2e27, 2e27)
    '(3.74 \\pm 0.20) \\times 10^{28}'
    """
    errors = [error for error in (plus, minus) if math.isfinite(error) and error > 0.0]
    if not math.isfinite(value):
        return r"\mathrm{unknown}"
    size = abs(value) if value else max(errors, default=0.0)
    size = max(size, *errors) if errors else size
    power = math.floor(math.log10(size)) if size and not SMALLEST <= size < LARGEST else 0
    scale = 10.0**power
    decimals = _decimals(min(errors) / scale) if errors else 4
    number, up, down = (f"{round(x / scale, decimals) + 0.0:.{max(decimals, 0)}f}" for x in (value, plus, minus))
    text = rf"{number} \pm {up}" if up == down else f"{number}_{{-{down}}}^{{+{up}}}"
    if not power:
        return text
    return rf"({text}) \times 10^{{{power}}}" if up == down else rf"{text} \times 10^{{{power}}}"


def _decimals(error: float) -> int:
    """Decimals that keep two significant digits of an error, after rounding: 0.0996 is 0.10."""
    first = 1 - math.floor(math.log10(error))
    return 1 - math.floor(math.log10(round(error, first)))


def unit_text(unit: str) -> str:
    r"""Write a unit such as ``cm2/s`` in LaTeX; an empty one is a dash.

    Examples
    --------
    >>> unit_text("cm2/s")
    '$\\mathrm{cm^{2}\\,s^{-1}}$'
    """
    if not unit:
        return "--"
    parts = []
    for k, product in enumerate(unit.split("/")):
        for factor in re.split(r"[\s.*]+", product.strip(" ()")):
            match = re.fullmatch(r"([A-Za-z]+)(?:\^|\*\*)?(-?\d+)?", factor)
            if match is None:
                return escape(unit)
            power = int(match[2] or 1) * (-1 if k else 1)
            parts.append(match[1] + (f"^{{{power}}}" if power != 1 else ""))
    joined = r"\,".join(parts)
    return rf"$\mathrm{{{joined}}}$"


def escape(text: str) -> str:
    """Escape the characters that LaTeX reads as commands."""
    return "".join(_SPECIAL.get(character, character) for character in text)
