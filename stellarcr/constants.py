"""Physical constants in the kernel units: GV, GeV, Msun, yr, km/s, erg/s, kpc.

Exact SI values follow the 2019 SI; the others are CODATA 2022 and IAU 2015 as distributed with
``scipy.constants`` 1.17 and ``astropy.constants`` 8 (checked in ``tests/model/test_constants.py``).
"""

from __future__ import annotations

SPEED_OF_LIGHT = 299_792_458.0
"""Speed of light [m/s], exact."""

SPEED_OF_LIGHT_KM_S = SPEED_OF_LIGHT / 1e3
"""Speed of light [km/s], exact."""

KILOPARSEC = 3.0856775814913673e19
"""Kiloparsec [m] (IAU 2015 definition of the parsec)."""

YEAR = 365.25 * 86400.0
"""Julian year [s]."""

GEV_PER_ERG = 1e-7 / 1.602176634e-10
"""GeV in one erg, exact: 1 erg = 1e-7 J, 1 GeV = 1.602176634e-10 J."""

ATOMIC_MASS_GEV = 0.93149410372
"""Atomic mass unit times c^2 [GeV] (CODATA 2022)."""

ELECTRON_MASS_GEV = 0.51099895069e-3
"""Electron mass times c^2 [GeV] (CODATA 2022)."""

MILLIBARN = 1e-27
"""Millibarn [cm^2], exact."""
