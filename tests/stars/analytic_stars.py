"""Stars made by hand: tracks, grids and winds whose totals are known in closed form."""

import numpy as np

from stellarcr.stars.history import MOMENTUM_UNIT, POWER_UNIT, WindHistory
from stellarcr.stars.tracks import Track, TrackGrid
from stellarcr.stars.winds import WindPhase

NUCLIDES = ("H1", "He4", "C12", "N14", "O16", "Ne20", "Ne22")
SURFACE = (0.72, 0.266, 0.003, 0.001, 0.006, 0.0016, 0.0004)


def make_track(
    age, mass, *, initial_mass=None, temperature=3e4, radius=10.0, surface=SURFACE, first_point=1, rate=0.0, **other
):
    """A track on given ages [yr] and masses [Msun]; everything else constant or by row."""
    age, mass = np.asarray(age, dtype=float), np.asarray(mass, dtype=float)
    rows = age.size
    temperature = np.broadcast_to(np.asarray(temperature, dtype=float), rows)
    radius = np.broadcast_to(np.asarray(radius, dtype=float), rows)
    values = {
        "initial_mass": float(mass[0] if initial_mass is None else initial_mass),
        "age": age,
        "mass": mass,
        "mass_loss_rate": np.broadcast_to(np.asarray(rate, dtype=float), rows).copy(),
        "log_luminosity": 2.0 * np.log10(radius) + 4.0 * np.log10(temperature / 5772.0),
        "log_temperature": np.log10(temperature),
        "log_temperature_wind": None,
        "radius": radius.copy(),
        "surface": np.broadcast_to(np.asarray(surface, dtype=float), (rows, len(NUCLIDES))).copy(),
        "center": np.tile([0.7, 0.28, 0.0], (rows, 1)),
        "point": np.arange(first_point, first_point + rows),
        "nuclides": NUCLIDES,
        "primary_points": (first_point,),
        "filled": False,
        "source": "by hand",
        "sha256": "",
    }
    return Track(**values | other)


def make_grid(*tracks, family="GENEC", metallicity=0.014):
    """A grid of given tracks."""
    return TrackGrid("by-hand", family, "1", "none", metallicity, 0.0, tuple(tracks), {}, {}, ())


def make_wind(edges, mass_loss, velocity, fractions, nuclides=("H1", "He4"), stripped=False, label="star"):
    """A wind that is constant within each interval: rates [Msun/yr], speeds [km/s], mass fractions."""
    edges = np.asarray(edges, dtype=float)
    count = edges.size - 1
    mass_loss, velocity = (np.broadcast_to(np.asarray(x, dtype=float), count) for x in (mass_loss, velocity))
    power = POWER_UNIT * mass_loss * velocity**2
    phases = np.zeros((count, len(WindPhase)))
    phases[:, WindPhase.O] = power
    return WindHistory(
        edges=edges,
        mass_loss=mass_loss.copy(),
        momentum_flux=MOMENTUM_UNIT * mass_loss * velocity,
        luminosity=power,
        nuclide_loss=mass_loss[:, None] * np.broadcast_to(fractions, (count, len(nuclides))),
        phase_luminosity=phases,
        stripped_luminosity=power * np.broadcast_to(stripped, count),
        doubtful_luminosity=np.zeros((count, 3)),
        nuclides=tuple(nuclides),
        label=label,
        grid="by-hand",
        recipe="none",
    )
