"""Small track files in both formats, as their authors lay them out; the numbers are made up."""

from pathlib import Path

from stellarcr.data.track_files import MIST_SURFACE

MIST_COLUMNS = (
    "star_age", "star_mass", "star_mdot", "log_L", "log_Teff", "log_R", *MIST_SURFACE.values(), "center_h1",
    "center_he4", "center_c12", "phase",
)  # fmt: skip
GENEC_COLUMNS = [
    "line",
    "time",
    "mass",
    "lg(L)",
    "lg(Teff)",
    "1H_surf",
    "4He_surf",
    "12C_surf",
    "13C_surf",
    "14N_surf",
    "16O_surf",
    "17O_surf",
    "18O_surf",
    "20Ne_surf",
    "22Ne_surf",
    "26Al_surf",
    "Mcc/Mt",
    "lg(Teff)",
    "lg(Md)",
    "lg(rhoc)",
    "1H_cen",
    "4He_cen",
    "12C_cen",
    "v_crit2",
]


def mist_rows(mass=60.0):
    """Four rows: one on the main sequence, one at its end, a star without hydrogen, and one with carbon and Ne22."""
    trace = dict.fromkeys(MIST_SURFACE.values(), 0.0)
    rows = []
    for age, share, rate, hydrogen, helium, carbon, center in (
        (1.0e4, 1.00, -1e-6, 0.70, 0.28, 0.0, 0.7),
        (4.0e6 * (60.0 / mass), 0.75, -1e-5, 0.70, 0.28, 0.0, 0.0),
        (4.1e6 * (60.0 / mass), 0.50, -5e-5, 0.00, 0.98, 0.0, 0.0),
        (4.2e6 * (60.0 / mass), 0.40, -4e-5, 0.00, 0.60, 0.366, 0.0),
    ):
        surface = trace | {"surface_h1": hydrogen, "surface_he4": helium, "surface_c12": carbon, "surface_fe56": 0.018}
        first = {"star_age": age, "star_mass": mass * share, "star_mdot": rate, "log_L": 5.7, "log_Teff": 4.6}
        last = {"log_R": 1.1, "center_h1": center, "center_he4": 0.2, "center_c12": 0.1, "phase": 0.0}
        rows.append(first | surface | last)
    return rows


def write_mist(path: Path, mass=60.0, rows=None, columns=MIST_COLUMNS, points=(1, 2, 3, 4), **header) -> Path:
    rows = mist_rows(mass) if rows is None else rows
    given = {"N_pts": len(rows), "N_EEP": len(points), "N_col": len(columns)} | header
    lines = [
        "# MIST version number  = 1.0",
        "# MESA revision number =     7503",
        "# ---",
        "#  Yinit        Zinit   [Fe/H]   [a/Fe]  v/vcrit",
        "# 0.2703  1.42857E-02     0.00     0.00     0.40",
        "# ---",
        "#     initial_mass   N_pts   N_EEP   N_col   phase        type",
        f"# {mass:.10E} {given['N_pts']} {given['N_EEP']} {given['N_col']} YES high-mass",
        "# EEPs: " + " ".join(map(str, points)),
        "# ---",
        "#" + " ".join(str(i + 1) for i in range(len(columns))),
        "#" + " ".join(columns),
        *(" ".join(f"{row[name]:.16E}" if isinstance(row[name], float) else row[name] for name in columns)
          for row in rows),
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n")
    return path


def genec_rows(mass=60.0):
    """400 rows: two with equal ages (100 and 101), and one exponent without E (row 7, a column that is not used)."""
    rows = []
    for i in range(400):
        age = 1e4 * (i + 1 if i < 100 else i)
        row = [
            str(i + 1), f"{age:.9E}", f"{mass - 1e-7 * age:.6f}", "5.7", "4.65", "0.70", "0.27", "2e-3", "3e-5",
            "7e-4", "6e-3", "2e-6", "1e-5", "2e-3", "1.5e-4", "0.0", "0.5", "4.600000", "-7.000", "1.0",
            f"{0.7 * (1 - i / 399):.7f}", "0.28", "0.001", "9.1E+02" if i != 6 else "2.83-289",
        ]  # fmt: skip
        rows.append(row)
    return rows


def write_genec(folder: Path, name="M060p00Z14V40.dat", rows=None, columns=GENEC_COLUMNS, first="line") -> Path:
    rows = genec_rows(float(name[1:4])) if rows is None else rows
    units = ["-", "yr", *["Msun"] * (len(columns) - 2)]
    lines = [" ".join([first, *columns[1:]]), " ".join(units), "", *(" ".join(row) for row in rows)]
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path
