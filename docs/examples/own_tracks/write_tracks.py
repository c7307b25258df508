"""Write evolution tracks in the format of MIST; here tracks of a shipped grid stand for those of your own code."""

import sys
from pathlib import Path

import numpy as np

from stellarcr.data import load_tracks
from stellarcr.data.track_files import MIST_SURFACE


def write_track(path, initial_mass, columns, primary_points, metallicity, rotation):
    """Write one file. The columns, names to arrays, have one row per equivalent evolutionary point."""
    names, table = list(columns), np.column_stack(list(columns.values()))
    header = [
        "# MIST version number  = own-1",
        "# made by write_tracks.py",
        "# ---",
        "# Yinit Zinit [Fe/H] [a/Fe] v/vcrit",
        f"# 0.27 {metallicity:.5E} 0.00 0.00 {rotation:.2f}",
        "# ---",
        "# initial_mass N_pts N_EEP N_col phase type",
        f"# {initial_mass:.10E} {len(table)} {len(primary_points)} {len(names)} YES high-mass",
        "# EEPs: " + " ".join(map(str, primary_points)),
        "# ---",
        "# " + " ".join(str(number + 1) for number in range(len(names))),
        "# " + " ".join(names),
    ]
    rows = [" ".join(f"{value:.16E}" for value in row) for row in table]
    path.write_text("\n".join([*header, *rows]) + "\n")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir()
    grid = load_tracks("mist-v1.0-vvcrit0.4")
    for mass in (8, 16, 24, 32, 45, 60, 85, 105, 120, 150):
        track = grid.track(mass)
        columns = {
            "star_age": track.age,  # yr
            "star_mass": track.mass,  # Msun
            "star_mdot": -track.mass_loss_rate,  # Msun/yr, negative for loss
            "log_L": track.log_luminosity,
            "log_Teff": track.log_temperature,
            "log_R": np.log10(track.radius),
            **{column: track.surface_fraction(nuclide) for nuclide, column in MIST_SURFACE.items()},
            **dict(zip(("center_h1", "center_he4", "center_c12"), track.center.T, strict=True)),
        }
        file = folder / f"{mass:03d}00M.track.eep"
        write_track(file, mass, columns, track.primary_points, grid.metallicity, grid.rotation)
