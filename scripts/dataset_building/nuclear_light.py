"""Production of H2 and He3 after Coste et al. 2012, A&A 539, A88, from tables of two propagation codes.

USINE 3.5 tabulates it for He4 and He3 on hydrogen and helium (``sigProdCoste12.dat``, distributed with XS4GCRv2), at
equal steps of the logarithm from 0.01 to 10 GeV/n. CRAMS holds it for heavier nuclei on hydrogen
(``crams_fragmentation_usine_webber03+coste12.csv``); five of its rows were read, for Li6, Li7, C13, C14 and Fe54.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

COSTE_ENERGIES = tuple(float(f"{energy:.5g}") for energy in np.geomspace(0.01, 10.0, 41)[13:])
"""The source's energies from 0.094 GeV/n on [GeV/n]."""

# (parent, fragment): hydrogen and helium [mb], at COSTE_ENERGIES
_LIGHT = {
    ((2, 4), (2, 3)): (
        (94.0771, 83.3669, 73.2117, 64.9815, 59.2337, 55.6611, 53.7603, 53.1276, 53.3576, 54.0473, 54.9001, 55.7432,
         56.4815, 57.0491, 57.3827, 57.4123, 57.0608, 56.2376, 54.8891, 52.7836, 50.6756, 49.9722, 50.1166, 50.0686,
         50.0837, 50.0794, 50.0804, 50.0802),
        (282.231, 250.101, 219.635, 194.944, 177.701, 166.983, 161.281, 159.383, 160.073, 162.142, 164.7, 167.23,
         169.445, 171.147, 172.148, 172.237, 171.182, 168.713, 164.667, 158.351, 152.027, 149.917, 150.35, 150.206,
         150.251, 150.238, 150.241, 150.241),
    ),
    ((2, 4), (1, 2)): (
        (47.60075, 43.19372, 37.93793, 33.45335, 30.76584, 29.69998, 29.52155, 29.68057, 29.93639, 30.20453, 30.45487,
         30.67153, 30.83954, 30.94139, 30.95623, 30.8595, 30.62362, 30.21453, 29.61177, 28.71821, 27.83988, 27.549,
         27.6086, 27.58879, 27.59501, 27.59321, 27.59367, 27.59359),
        (95.93246, 77.57508, 63.03172, 54.78575, 52.5248, 52.99304, 54.88899, 57.27899, 60.0379, 63.14485, 66.60795,
         70.41228, 74.5173, 78.84497, 83.26852, 87.6004, 91.58342, 94.87807, 97.10532, 97.686, 96.84924, 96.22828,
         96.37612, 96.32697, 96.3424, 96.33795, 96.33906, 96.33887),
    ),
    ((2, 3), (1, 2)): (
        (18.96002, 16.93918, 15.28885, 14.03944, 13.31398, 13.02041, 12.82431, 12.89153, 13.56993, 15.22837, 18.22157,
         22.47164, 27.55195, 32.35174, 35.36663, 35.71229, 34.40747, 33.53058, 33.22265, 32.92279, 32.50734, 32.04849,
         31.60439, 31.23098, 30.96504, 30.7865, 30.59049, 30.30253),
        (56.88007, 50.81754, 45.86656, 42.11831, 39.94193, 39.06123, 38.47293, 38.6746, 40.70978, 45.68511, 54.6647,
         67.41493, 82.65586, 97.05521, 106.0999, 107.1369, 103.2224, 100.5917, 99.66796, 98.76837, 97.52203, 96.14546,
         94.81318, 93.69294, 92.89512, 92.35951, 91.77148, 90.9076),
    ),
}  # fmt: skip

# H2 and He3 from Li6 and Fe54 relative to their values above 4 GeV/n: energies of the CRAMS table, the two rows.
_SHAPE_ENERGIES = np.geomspace(0.01, 1e5, 112)[15:43]
_LI6 = (
    38.3334035, 40.3349074, 41.9098633, 43.0174373, 43.4962205, 42.9624939, 41.4865928, 39.2543022, 36.6491332,
    34.1670851, 32.3179166, 31.6361796, 31.8998589, 32.8734665, 34.3582365, 36.1851454, 38.2325223, 40.4440431,
    42.7758313, 45.2035181, 47.7164050, 50.3023602, 52.9464367, 55.6300979, 57.3378788, 57.4801465, 57.1768828,
    57.0100600,
)  # fmt: skip
_FE54 = (
    50.5747009, 58.7458920, 67.3444621, 76.2333022, 85.0499556, 92.8197521, 98.9301748, 103.285269, 106.469657,
    109.677832, 114.586305, 123.914509, 138.168378, 157.426351, 181.756881, 211.234994, 246.048533, 287.488953,
    336.283772, 392.749018, 457.853577, 532.641938, 618.219733, 716.696742, 789.050277, 802.802859, 798.567270,
    796.237300,
)  # fmt: skip

_DEUTERON = 57.0100600 / 6.0**1.2
_HELION = 89.5788700 / (1.0 + (6.0 / 25.0) ** 1.5)
_ON_HELIUM = 3.0
"""Helium target over hydrogen target, for nuclei beyond He4: that of He4 -> He3 and He3 -> H2."""


def coste_rows(parents: Iterable[tuple[int, int]]) -> list[tuple]:
    """Rows (parent, fragment, target, cross sections [mb]) of the table.

    Parameters
    ----------
    parents : iterable of (charge, mass number)
        Nuclei; those up to He4 are ignored, they are always in the table.
    """
    rows = [
        (parent, fragment, target, np.array(values))
        for (parent, fragment), both in _LIGHT.items()
        for target, values in zip(("H", "He"), both, strict=True)
    ]
    log_energy = np.log(COSTE_ENERGIES)
    ends = [np.interp(log_energy, np.log(_SHAPE_ENERGIES), np.log(np.array(row) / row[-1])) for row in (_LI6, _FE54)]
    slope = (ends[1] - ends[0]) / (54.0**0.5 - 6.0**0.5)
    for parent in parents:
        mass_number = parent[1]
        if mass_number > 4:
            shape = np.exp(ends[0] + slope * (mass_number**0.5 - 6.0**0.5))
            for fragment, size in (
                ((1, 2), _DEUTERON * mass_number**1.2),
                ((2, 3), _HELION * (1.0 + (mass_number / 25.0) ** 1.5)),
            ):
                values = np.array([float(f"{x:.5g}") for x in size * shape])
                rows.append((parent, fragment, "H", values))
                rows.append((parent, fragment, "He", np.array([float(f"{x:.5g}") for x in _ON_HELIUM * values])))
    return rows
