"""Numbers of a user's table in the units of the schema: powers of x divided out, relative errors made absolute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from astropy import units as u

from ..errors import DataError, nearest
from .description import CENTRES, RELATIVE_KINDS, TableDescription
from .roles import SYMMETRIC
from .schema import AXES, AXIS_NAMES, X_COLUMNS, value_unit
from .units import UNIT_EXAMPLE, parse_unit
from .user_table import UserTable


@dataclass(frozen=True, eq=False)
class ConvertedColumns:
    """Numbers of a user's file in the units of the schema.

    Attributes
    ----------
    source : UserTable
        The file.
    description : TableDescription
        With nothing missing.
    roles : mapping of str to str
        Column of the schema to column of the file, from `stellarcr.data.roles.column_roles`.
    axis, quantity : str
        As in the schema.
    """

    source: UserTable
    description: TableDescription
    roles: Mapping[str, str]
    axis: str
    quantity: str

    def __post_init__(self) -> None:
        if self.description.no_statistical_errors and any(role.startswith(SYMMETRIC) for role in self.roles):
            raise self._error("--no-statistical-errors, but the file has a column of them", "leave the option out")
        if self.description.x_from_edges and "x" in self.roles:
            raise self._error("--x-from-edges, but the file has a column for x", "leave the option out")
        for role, kind in self.description.relative_errors.items():
            present = [name for name in self.roles if name.removesuffix("_low").removesuffix("_high") == role]
            if role not in self.roles and not present:
                known = [name for name in self.roles if name not in (*X_COLUMNS, "value", "upper_limit", "flag")]
                raise self._error(f"--relative-errors {role}: no such error column", nearest(role, known))
            if kind not in RELATIVE_KINDS:
                raise self._error(f"--relative-errors {role}={kind}: unknown kind", nearest(kind, RELATIVE_KINDS))

    def x(self, name: str) -> np.ndarray:
        """Points or edges [GV or GeV]; NaN for edges that the file does not have.

        Raises
        ------
        DataError
            For cells that are no numbers and units that do not fit.
        """
        if name in self.roles:
            return self._x_as_given(name).to_value(AXES[self.axis])
        if name != "x":
            return np.full(len(self.source.lines), np.nan)
        low, high = self.x("x_low"), self.x("x_high")
        if self.description.x_from_edges not in CENTRES:
            raise self._error(
                f"--x-from-edges: unknown centre {self.description.x_from_edges!r}",
                nearest(self.description.x_from_edges, CENTRES),
            )
        return np.sqrt(low * high) if self.description.x_from_edges == "geometric" else 0.5 * (low + high)

    def _x_as_given(self, name: str) -> u.Quantity:
        unit = self._unit(name, self.description.unit_x, "--unit-x")
        if not unit.is_equivalent(u.Unit(AXES[self.axis])):
            raise self._error(
                f"the unit of {name} is {str(unit)!r}, which is no {AXIS_NAMES[self.axis]} (axis {self.axis})",
                f"give a unit that converts to {AXES[self.axis]!r}, or another --axis",
            )
        return u.Quantity(self.source.numbers(self.roles[name]), unit)

    @property
    def value(self) -> np.ndarray:
        """Flux [per m2 s sr and GV or GeV], or a plain number."""
        return self._in_value_units("value")

    def error(self, name: str, side: str) -> np.ndarray:
        """Return ``stat`` or ``systematic_<name>`` on one side, in the unit of the value.

        Raises
        ------
        DataError
            For cells that are no numbers and units that do not fit.
        """
        if name == SYMMETRIC and not any(role.startswith("stat") for role in self.roles):
            return np.zeros(len(self.source.lines))
        role = name if name in self.roles else f"{name}_{side}"
        kind = self.description.relative_errors.get(role) or self.description.relative_errors.get(name)
        if kind is not None:
            return self.source.numbers(self.roles[role]) * RELATIVE_KINDS[kind] * np.abs(self.value)
        return self._in_value_units(role)

    def _in_value_units(self, role: str) -> np.ndarray:
        unit = self._unit(role, self.description.unit_value, "--unit-value")
        wanted = u.Unit(value_unit(self.quantity, self.axis))
        power = self.description.value_multiplied_by_x_to
        given = u.Quantity(self.source.numbers(self.roles[role]), unit)
        if power:
            if self.quantity != "flux":
                raise self._error("--value-multiplied-by-x-to is for fluxes", "leave it out")
            # Divided in the file's own unit of x: E^2.7 J is as published, whatever unit E is in.
            points = self._x_as_given("x") if "x" in self.roles else u.Quantity(self.x("x"), AXES[self.axis])
            given = given / points**power
        if not given.unit.is_equivalent(wanted):
            raise self._unit_error(role, unit, power)
        return given.to_value(wanted)

    def _unit_error(self, role: str, unit: u.UnitBase, power: float) -> DataError:
        what = f"the unit of {role} is {str(unit) or 'a plain number'!r}"
        if power:
            return self._error(
                f"{what}, which does not fit a {self.quantity} on the axis {self.axis} multiplied by x^{power:g}",
                f"give the unit as published, such as '{AXES[self.axis]}^{power - 1:.3g} m^-2 s^-1 sr^-1'",
            )
        remedy = f"give a unit that converts to {value_unit(self.quantity, self.axis) or 'a plain number'!r}"
        if self.quantity == "flux":
            remedy += (
                f", such as '{UNIT_EXAMPLE.replace('GeV', AXES[self.axis])}'; a flux times a power of x needs "
                "--value-multiplied-by-x-to"
            )
        return self._error(f"{what}, which does not fit a {self.quantity} on the axis {self.axis}", remedy)

    def _unit(self, role: str, said: str, option: str) -> u.UnitBase:
        source = self.roles[role]
        header = self.source.units.get(source)
        if header is None:
            return parse_unit(said, option, str(self.source.path))
        unit = parse_unit(header, f"column {source!r}", str(self.source.path))
        if said and parse_unit(said, option, str(self.source.path)) != unit:
            raise self._error(
                f"{option} {said!r}, but the header gives column {source!r} the unit {header!r}",
                "leave the option out, or correct the header",
            )
        return unit

    def _error(self, problem: str, remedy: str) -> DataError:
        return DataError(problem, where=str(self.source.path), remedy=remedy)
