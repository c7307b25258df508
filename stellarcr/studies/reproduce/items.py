"""What an item of the paper is here: numbers beside the published ones, and a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from ...data.tracks import load_tracks
from ...stars.recipes import DEFAULT_RECIPE, WindRecipe, wind_recipe
from ...stars.tracks import TrackGrid

DEFAULT_GRID = "mist-v1.0-vvcrit0.4"
"""The grid of tracks that the paper uses."""


class Row(NamedTuple):
    """One number.

    Attributes
    ----------
    quantity : str
        What it is, in words that are complete without a heading.
    unit : str
        ``""`` for none.
    ours : float, str or None
        From this code; text for verdicts, None where it does not exist (such as a cutoff of what is not injected).
    paper : float, str or None
        As published; None where the paper prints no number.
    """

    quantity: str
    unit: str
    ours: float | str | None
    paper: float | str | None = None

    @property
    def ratio(self) -> float | None:
        """Ours over the paper's, where both are numbers and the latter is not zero."""
        if isinstance(self.ours, str) or isinstance(self.paper, str) or not self.paper or self.ours is None:
            return None
        return self.ours / self.paper


@dataclass(frozen=True)
class Result:
    """What one item gives.

    Attributes
    ----------
    title : str
        One line.
    rows : tuple of Row
        Numbers, ours beside the paper's.
    notes : tuple of str
        What a reader must know to compare them: definitions, choices.
    draw : callable or None
        Makes the matplotlib figure; None for an item without one.
    """

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    draw: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Settings:
    """What the items are computed with.

    Attributes
    ----------
    grid : str
        Name or file of the grid of tracks.
    recipe : str
        Wind recipe for Wolf-Rayet stars.
    iron : {"tabulated", "solar"}
        What Fe56 stands for; see `stellarcr.stars.wind_composition.wind_composition`.
    shared : dict
        Results that several items need, by the name of what made them; filled as they are made. A copy with other
        settings (`dataclasses.replace`) begins with none.
    """

    grid: str = DEFAULT_GRID
    recipe: str = DEFAULT_RECIPE
    iron: str = "tabulated"
    shared: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def tracks(self) -> TrackGrid:
        """The grid of tracks."""
        return load_tracks(self.grid)

    @cached_property
    def wind_recipe(self) -> WindRecipe:
        """The recipe."""
        return wind_recipe(self.recipe, "--recipe")

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return a result, made when it is first asked for."""
        if name not in self.shared:
            self.shared[name] = make()
        return self.shared[name]


Item = Callable[[Settings], Result]


def written(result: Result, name: str, folder: Path) -> list[Path]:
    """Write the figure of an item as PDF and PNG; returns their paths, none if it has no figure."""
    if result.draw is None:
        return []
    from ...plots.style import save

    return list(save(result.draw(), folder / name))
