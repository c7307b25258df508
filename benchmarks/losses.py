"""Tabulate what energy losses, which the forward model leaves out, would change: `python benchmarks/losses.py`.

Each nuclide is followed with ionisation and Coulomb losses in every Bessel order of the preset's cylinder, and compared
with the same network without them, at equal rigidity. The published effect of reacceleration stands beside it.
"""

from __future__ import annotations

import numpy as np

from stellarcr.data.galaxy_presets import load_galaxy
from stellarcr.galaxy.cylinder import cylinder_series
from stellarcr.galaxy.diffusion import diffusion_coefficient
from stellarcr.galaxy.inelastic import HELIUM_TO_HYDROGEN_AREA, inelastic_cross_section
from stellarcr.galaxy.losses import CM_PER_KPC, SPEED, disc_loss, solve_with_losses, velocity
from stellarcr.galaxy.profiles import source_profile
from stellarcr.galaxy.validity import LEFT_OUT
from stellarcr.species import nuclide

MILLIBARN = 1e-27
RIGIDITIES = np.array([1.0, 2.0, 5.0, 10.0, 20.0, 50.0])
INDEX = -2.36
"""Injection in rigidity of the preset's calibration."""

NUCLIDES = {n: nuclide(*n) for n in (("Fe", 56), ("O", 16), ("C", 12), ("B", 11), ("He", 4), ("H", 1))}
SOURCE = {("O", 16): 3822 * 2**1.36, ("C", 12): 2819 * 2**1.36}
"""Relative to each other, at equal rigidity; the others stand alone: number at equal energy per nucleon (full codes)
times (A/Z)^(2.36 - 1)."""

MAKES = {
    ("C", 12): {("O", 16): 34.1},
    ("B", 11): {("O", 16): 26.63 + 11.82, ("C", 12): 56.49 + 18.69},
}
"""Cumulative cross sections on hydrogen at 2 GeV per nucleon [mb], Evoli et al. 2019; B is B11 plus B10."""


def spectra(with_losses: bool, points_per_decade: int = 200, top: float = 1e4) -> dict[tuple[str, int], np.ndarray]:
    """Densities per unit rigidity at `RIGIDITIES`, up to a factor."""
    galaxy = load_galaxy("plain-diffusion")
    series = cylinder_series(source_profile(galaxy.profile), galaxy.radius, galaxy.sun).at(galaxy.half_height)
    bottom = 0.03
    energy = np.geomspace(bottom, top, round(points_per_decade * np.log10(top / bottom)) + 1)
    helium = 1.0 + galaxy.helium_fraction * HELIUM_TO_HYDROGEN_AREA
    orders: dict[tuple[str, int], np.ndarray] = {}
    result = {}
    for key, nucleus in NUCLIDES.items():
        gamma, beta = velocity(nucleus.mass, nucleus.mass_number, energy)
        rigidity = nucleus.mass * gamma * beta / nucleus.charge
        diffusion = diffusion_coefficient(
            rigidity, beta, galaxy.D0 / CM_PER_KPC**2, galaxy.delta, galaxy.R_h, galaxy.delta_h, galaxy.eta
        )
        flow = SPEED * beta * MILLIBARN * helium * galaxy.hydrogen_column / CM_PER_KPC
        rate = series.poles[:, None] * diffusion + flow * inelastic_cross_section(nucleus, energy)
        # per energy per nucleon: dR/dE = A / (Z beta)
        stretch = nucleus.mass_number / (nucleus.charge * beta)
        # the weights hold J0(k r0): linear, so that orders may be added up as they are
        source = series.weights[:, None] * (0.0 if key in MAKES and key not in SOURCE else 1.0)
        source = source * SOURCE.get(key, 1.0) * rigidity**INDEX * stretch
        for parent, area in MAKES.get(key, {}).items():
            source = source + flow * area * orders[parent]
        loss = disc_loss(nucleus, energy, galaxy.hydrogen_column, galaxy.helium_fraction) * np.ones_like(rate)
        orders[key] = solve_with_losses(rate, loss if with_losses else 0.0 * loss, source, energy)
        density = np.sum(orders[key], axis=0) / stretch
        result[key] = np.exp(np.interp(np.log(RIGIDITIES), np.log(rigidity), np.log(density)))
    return result


def changes(**grid: float) -> dict[str, np.ndarray]:
    """With over without losses, less one."""
    on, off = spectra(True, **grid), spectra(False, **grid)
    table = {key[0]: on[key] / off[key] - 1.0 for key in reversed(NUCLIDES)}
    table["B/C"] = (1.0 + table["B"]) / (1.0 + table["C"]) - 1.0
    return table


def main() -> None:
    """Print the table, its convergence and the published effect of reacceleration."""
    table = changes()
    print("change by ionisation and Coulomb losses at equal rigidity, interstellar [%]")
    print(f"{'R [GV]':>8}" + "".join(f"{r:>8g}" for r in RIGIDITIES))
    for name, change in table.items():
        print(f"{name:>8}" + "".join(f"{100 * c:>8.2f}" for c in change))
    finer, higher = changes(points_per_decade=400), changes(top=1e5)
    for label, other in (("half the step in energy", finer), ("ten times the highest energy", higher)):
        worst = max(float(np.max(np.abs(other[name] - table[name]))) for name in table)
        print(f"{label}: changes by at most {100 * worst:.1e} %")
    print("change by reacceleration with v_A = 20 km/s, published [%]")
    for effect in LEFT_OUT:
        if effect.process == "reacceleration":
            values = "   ".join(f"{100 * v:g} at {r:g} GV" for r, v in zip(effect.rigidity, effect.change, strict=True))
            print(f"{effect.quantity:>8}   {values}")


if __name__ == "__main__":
    main()
