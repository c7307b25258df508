"""Propagation presets."""

from __future__ import annotations

import typer

from .options import AsJson


def presets(as_json: AsJson = False) -> None:
    """List the propagation presets that are shipped, with their diffusion coefficient and halo.

    --json prints objects with the keys name, D0 [cm2/s at 4 GV], delta, R_h [GV], delta_h, half_height [kpc],
    production (cross sections of fragmentation, or none) and source (of D0).
    """
    from ..studies.presets import print_presets

    print_presets(as_json)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(presets)
