"""Which column of a user's file is which column of the schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..errors import DataError, nearest
from .schema import split_systematic
from .user_table import UserTable

SYMMETRIC = "stat"
"""Column of statistical errors that are the same downwards and upwards."""

_NAMES = ("x", "x_low", "x_high", "value", SYMMETRIC, "stat_low", "stat_high", "upper_limit", "flag")
ROLES = (*_NAMES, "systematic_<name>", "systematic_<name>_low", "systematic_<name>_high")
"""What a column may be imported as, for messages."""

_SYMMETRIC_SYSTEMATIC = re.compile(r"^systematic_(?P<name>(?!(?:low|high)$)[a-z][a-z0-9_]*)$")


def column_roles(table: UserTable, columns: Mapping[str, str], ignore: Sequence[str]) -> dict[str, str]:
    """Say which column of the file is which column of the schema.

    Parameters
    ----------
    table : UserTable
        The file.
    columns : mapping of str to str
        Column of the schema to column of the file, as the user gave it.
    ignore : sequence of str
        Columns of the file that are left out.

    Returns
    -------
    dict of str to str
        Column of the schema, ``stat`` or ``systematic_<name>`` to column of the file. Unknown columns are left out:
        see `unknown_columns`.

    Raises
    ------
    DataError
        If a mapping names a column that the schema or the file does not have, or two columns for one role.
    """
    where = str(table.path)
    for target, source in columns.items():
        if not is_role(target):
            raise DataError(
                f"--columns {target}={source}: the schema has no column {target!r}",
                where=where,
                remedy=nearest(target, ROLES),
            )
        if source not in table.columns:
            raise DataError(
                f"--columns {target}={source}: the file has no column {source!r}",
                where=where,
                remedy=nearest(source, table.columns),
            )
    for source in ignore:
        if source not in table.columns:
            raise DataError(
                f"--ignore {source}: the file has no column {source!r}",
                where=where,
                remedy=nearest(source, table.columns),
            )
    sources = list(columns.values())
    both = [source for source in sources if source in ignore]
    if both:
        raise DataError(
            f"column {both[0]!r} is both in --columns and in --ignore", where=where, remedy="leave one of the two out"
        )
    roles = dict(columns)
    for source in table.columns:
        if source in sources or source in ignore or not is_role(source):
            continue
        if source in roles:
            raise DataError(
                f"both {roles[source]!r} and {source!r} are the column {source!r} of the schema",
                where=where,
                remedy=f"leave one of them out with --ignore {source}",
            )
        roles[source] = source
    twice = sorted({source for source in sources if sources.count(source) > 1})
    if twice:
        raise DataError(
            f"--columns gives {twice[0]!r} to two columns of the schema",
            where=where,
            remedy="errors that are the same on both sides are 'stat' and 'systematic_<name>'",
        )
    for symmetric in [role for role in roles if role == SYMMETRIC or _SYMMETRIC_SYSTEMATIC.match(role)]:
        sided = [f"{symmetric}_{side}" for side in ("low", "high") if f"{symmetric}_{side}" in roles]
        if sided:
            raise DataError(
                f"columns {symmetric!r} and {sided[0]!r} hold the same error twice",
                where=where,
                remedy=f"leave one of them out with --ignore {roles[symmetric]}",
            )
    return roles


def unknown_columns(table: UserTable, columns: Mapping[str, str], ignore: Sequence[str]) -> list[str]:
    """Columns of the file that nobody said anything about."""
    said = {*column_roles(table, columns, ignore).values(), *ignore}
    return [name for name in table.columns if name not in said]


def is_role(name: str) -> bool:
    """Whether a column can be imported under this name."""
    return name in _NAMES or split_systematic(name) is not None or bool(_SYMMETRIC_SYSTEMATIC.match(name))


def components(roles: Iterable[str]) -> list[str]:
    """Names of the systematic components among columns."""
    found = []
    for role in roles:
        sided, symmetric = split_systematic(role), _SYMMETRIC_SYSTEMATIC.match(role)
        if sided or symmetric:
            found.append(sided[0] if sided else symmetric["name"])  # type: ignore[index]
    return list(dict.fromkeys(found))
