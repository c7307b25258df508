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

PARSEC = KILOPARSEC / 1e3
"""Parsec [m] (IAU 2015)."""

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

GRAVITATIONAL_CONSTANT = 6.67430e-11
"""Newton's constant [m^3 kg^-1 s^-2] (CODATA 2022)."""

SOLAR_MASS = 1.3271244e20 / GRAVITATIONAL_CONSTANT
"""Solar mass [kg]: the nominal GM of IAU 2015 Resolution B3, 1.3271244e20 m^3 s^-2, over G."""

SOLAR_RADIUS = 6.957e8
"""Nominal solar radius [m] (IAU 2015 Resolution B3)."""

SOLAR_LUMINOSITY = 3.828e26
"""Nominal solar luminosity [W] (IAU 2015 Resolution B3)."""

ELECTRON_SCATTERING_OPACITY = 0.02
"""Opacity of ionised matter to electron scattering, per (1 + X_H) [m^2/kg]: kappa_e = 0.2 (1 + X_H) cm^2/g.

`project choice`: the rounded value that is usual for massive stars; sigma_T / (2 m_u) is 0.2003 cm^2/g.
"""

VACUUM_PERMEABILITY = 1.25663706127e-6
"""Magnetic permeability of the vacuum, mu0 [N/A^2] (CODATA 2022)."""

PROTON_MASS = 1.67262192595e-27
"""Proton mass [kg] (CODATA 2022)."""

BOLTZMANN_CONSTANT = 1.380649e-23
"""Boltzmann's constant [J/K], exact."""
