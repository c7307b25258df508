"""Propagation presets on the command line: which there are, and a configuration with another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from ..config import RunConfig, config_from_mapping, load_config
from ..data.galaxy_presets import galaxy_presets, load_galaxy
from ..galaxy import Galaxy

_SHOWN = ("D0", "delta", "R_h", "delta_h", "half_height")
"""Keys of a preset that are listed, in this order."""

_HEADINGS = ("name", "D0 [cm2/s]", "delta", "R_h [GV]", "delta_h", "L [kpc]", "fragments", "source of D0")

_DEFAULT = {
    "name": "reference-populations",
    "populations": {"snr": {}, "o_wind": {}, "wr_wind": {}, "msc": {}},
    "likelihoods": {"ams02": {}},
}
"""Reference populations with their default values; the data do not matter to a spectrum."""


def print_presets(as_json: bool) -> None:
    """Print the presets that the package ships, one a line.

    Parameters
    ----------
    as_json : bool
        Print a list of objects with the keys ``name``, ``D0`` [cm2/s at 4 GV], ``delta``, ``R_h`` [GV], ``delta_h``,
        ``half_height`` [kpc], ``production`` (set of cross sections of fragmentation, or ``none``) and ``source`` (of
        ``D0``; empty if the preset does not say).
    """
    listed = [_summary(load_galaxy(name)) for name in galaxy_presets()]
    if as_json:
        print(json.dumps(listed, indent=1, allow_nan=False))
        return
    table = Table(title=f"{len(listed)} presets", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in _HEADINGS:
        left = heading in ("name", "fragments", "source of D0")
        long = heading == "source of D0"
        table.add_column(heading, no_wrap=not long, overflow="fold", justify="left" if left else "right")
    for entry in listed:
        numbers = (f"{entry[key]:g}" for key in _SHOWN)
        table.add_row(entry["name"], *numbers, entry["production"], entry["source"] or "-")
    # rich would shorten every column to fit a narrow terminal; a wrapped line loses nothing
    width = Console().width
    console = Console(width=max(width, 200), highlight=False, soft_wrap=True, markup=False)
    console.print(table)
    console.print("D = D0 beta^eta (R/4 GV)^delta below R_h, slope delta_h above; L: half-height of the halo")


def _summary(galaxy: Galaxy) -> dict[str, Any]:
    numbers = {key: float(getattr(galaxy, key)) for key in _SHOWN}
    source = str((galaxy.sources or {}).get("D0", ""))
    return {"name": galaxy.name, **numbers, "production": galaxy.production, "source": source}


def config_with_preset(path: Path | None, preset: str | None) -> RunConfig:
    """Read a configuration, or take the reference populations, and replace its propagation by a preset.

    The preset replaces all that the configuration says of propagation: the whole section ``[galaxy]``, keys that
    replaced those of its own preset included, and ``[parameters.galaxy]``.

    Parameters
    ----------
    path : Path, optional
        Configuration; without it the reference populations with their default values.
    preset : str, optional
        A shipped name, or a TOML file, relative to the working folder.

    Raises
    ------
    ConfigError
        If configuration or preset are unknown or wrong.
    """
    config = config_from_mapping(_DEFAULT) if path is None else load_config(path)
    if preset is None:
        return config
    chosen = str(Path(preset).expanduser().resolve()) if preset.endswith(".toml") else preset
    # refused here with the option's name, before tables of populations are made
    load_galaxy(chosen if Path(chosen).is_file() else preset, None, "--preset")
    parameters = {
        key: value for key, value in config.parameters.items() if key != "galaxy" and not key.startswith("galaxy.")
    }
    constraints = tuple(c for c in config.constraints if not any(name.startswith("galaxy.") for name in c.order))
    return config.model_copy(
        update={"galaxy": {"preset": chosen}, "parameters": parameters, "constraints": constraints}
    )
