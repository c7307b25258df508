"""One parameter of a fit: free, fixed or linked."""

from __future__ import annotations

import keyword
import math
import numbers
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from stellarcr.errors import ParameterError

from .expressions import Expression
from .priors import Prior

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class Parameter:
    """One parameter: free, fixed or linked.

    Parameters
    ----------
    name : str
        Dotted name, such as ``snr.abundance.He``.
    label : str, optional
        LaTeX without dollar signs; made from the name if empty.
    unit : str, optional
        Unit of the value, as text.
    prior : Prior, optional
        Makes the parameter free.
    value : float, optional
        Makes the parameter fixed; for a free one, a reference value inside the support of the prior.
    linked : str, optional
        Expression of other parameters; makes the parameter linked.
    source : str, optional
        Where the prior, value or link comes from.

    Raises
    ------
    ParameterError
        If it is not exactly one of the three, or its value or name cannot be used.
    """

    name: str
    label: str = ""
    unit: str = ""
    prior: Prior | None = None
    value: float | None = None
    linked: str | None = None
    source: str = ""

    def __post_init__(self) -> None:
        self._check_name()
        if self.prior is not None and not isinstance(self.prior, Prior):
            raise ParameterError(
                f"parameter {self.name!r}: prior = {self.prior!r} is a {type(self.prior).__name__}, not a prior",
                remedy="give a prior such as Uniform(0.0, 1.0)",
            )
        if self.linked is not None and (self.prior is not None or self.value is not None):
            other = "a prior" if self.prior is not None else "a value"
            raise ParameterError(
                f"parameter {self.name!r} is linked to {self.linked!r} and has {other} as well",
                remedy=f"remove the link, or {other}",
            )
        if self.prior is None and self.value is None and self.linked is None:
            raise ParameterError(
                f"parameter {self.name!r} has no prior, value or link",
                remedy="give a prior to free it, a value to fix it, or an expression to link it",
            )
        if self.linked is not None:
            self.expression  # noqa: B018  (parse now, so that a mistake shows where it was made)
        if self.value is not None:
            self._check_value(self.value)

    @property
    def kind(self) -> str:
        """``"free"``, ``"fixed"`` or ``"linked"``."""
        if self.linked is not None:
            return "linked"
        return "fixed" if self.prior is None else "free"

    @cached_property
    def expression(self) -> Expression | None:
        """The parsed link, if there is one."""
        return None if self.linked is None else Expression(self.linked, where=f"parameter {self.name!r}")

    def describe(self) -> str:
        """Return the prior, value or link as text."""
        if self.linked is not None:
            return f"= {self.linked}"
        return f"{self.value:g}" if self.prior is None else self.prior.describe()

    @property
    def latex(self) -> str:
        """The label, or the name in upright type."""
        return self.label or r"\mathrm{" + self.name.replace("_", r"\_") + "}"

    def _check_name(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ParameterError(
                f"{self.name!r} cannot be the name of a parameter",
                remedy="use letters, digits and underscores, in parts divided by dots: snr.abundance.He",
            )
        for part in self.name.split("."):
            if keyword.iskeyword(part):
                raise ParameterError(
                    f"{self.name!r} cannot be the name of a parameter: {part!r} is a word of the language "
                    "that links are written in",
                    remedy=f"write {part}_ or another word",
                )

    def _check_value(self, value: Any) -> None:
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise ParameterError(
                f"parameter {self.name!r}: value = {value!r} is a {type(value).__name__}, not a number",
                remedy="write the value as a plain number in the unit of the parameter",
            )
        if not math.isfinite(value):
            raise ParameterError(
                f"parameter {self.name!r}: value = {value!r} is not finite", remedy="give a finite value"
            )
        object.__setattr__(self, "value", float(value))
        if self.prior is not None and not math.isfinite(self.prior.logpdf(value)):
            raise ParameterError(
                f"parameter {self.name!r}: the reference value {value:g} is outside its prior "
                f"({self.prior.describe()})",
                remedy="move the value into the support of the prior, or widen the prior",
            )
