"""The items that can be reproduced, by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from types import MappingProxyType

from ...errors import ParameterError, nearest
from .items import Item

ITEMS: Mapping[str, str] = MappingProxyType(
    {
        "fig2": "evolution:fig2",
        "fig3": "evolution:fig3",
        "fig4": "evolution:fig4",
        "fig5": "injection_spectra:fig5",
        "fig6": "injection_cutoffs:fig6",
        "fig7": "abundances_ratio:fig7",
        "fig8": "earth:fig8",
        "fig9": "earth:fig9",
        "fig10": "earth_type_ia:fig10",
        "table1": "verdicts:table1",
        "table3": "abundances:table3",
        "eq14": "clusters:eq14",
    }
)
"""Module of this folder and function of every item; a function takes `Settings` and gives a `Result`."""

EVERY = "all"
"""Word for every item."""


def chosen_items(names: Iterable[str]) -> tuple[str, ...]:
    """Names of the items that are asked for, each once, in the order asked for.

    Parameters
    ----------
    names : iterable of str
        Keys of `ITEMS`, or ``all``.

    Raises
    ------
    ParameterError
        If a name is unknown.
    """
    found: dict[str, None] = {}
    for name in names:
        if name != EVERY and name not in ITEMS:
            raise ParameterError(
                f"unknown item {name!r} of the paper", remedy=f"{nearest(name, (*ITEMS, EVERY))}; or '{EVERY}'"
            )
        found.update(dict.fromkeys(ITEMS if name == EVERY else (name,)))
    return tuple(found)


def find_item(name: str) -> Item:
    """The function behind an item; its module is imported now."""
    module, function = ITEMS[name].split(":")
    item: Item = getattr(import_module(f".{module}", __package__), function)
    return item
