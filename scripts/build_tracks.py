"""Make the grids of evolution tracks in datasets/tracks from the archives of the public files.

    python scripts/build_tracks.py --source DIR --output datasets

The source directory holds:

mist_v1.0_feh0_vvcrit0.4.tar.xz
    MIST v1.0, [Fe/H] = 0, v/vcrit = 0.4: files ``*.track.eep`` and ``*.track.eep_INTERP``.
genec_z014.tar.xz
    GENEC/SYCLIST, Z = 0.014, without rotation (V00) and at 40% of the critical one (V40): files ``*.dat``.

Running twice gives the same bytes; the lines of SHA256SUMS for these files are renewed.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
from pathlib import Path

from dataset_building.sums import update_sums

from stellarcr.data.tracks import build_grid
from stellarcr.errors import StellarcrError

_GENEC = {"reference": "Ekstroem et al. 2012; Georgy et al. 2014 (SYCLIST)"}
GRIDS = {
    "mist-v1.0-vvcrit0.4": (
        "mist_v1.0_feh0_vvcrit0.4.tar.xz",
        {
            "reference": "Dotter 2016; Choi et al. 2016 (MIST), computed with MESA",
            # At the edge of the grid there are no neighbours to interpolate between. The filled file of 8 Msun is the
            # least bad of the four, and its wind the weakest.
            "use_filled": [8.0],
        },
    ),
    "genec-z014-v00": (
        "genec_z014.tar.xz",
        # In one row of this file the star is 690 yr younger and slightly heavier than in the row before.
        {"pattern": "*V00.dat", "drop_lines": ["M008p00Z14V00.dat:373"], **_GENEC},
    ),
    "genec-z014-v40": ("genec_z014.tar.xz", {"pattern": "*V40.dat", **_GENEC}),
}
"""Archive of every grid, and how `stellarcr.data.build_grid` reads it."""


def build(source: Path, output: Path) -> list[Path]:
    """Make all grids.

    Parameters
    ----------
    source : pathlib.Path
        Directory of the archives.
    output : pathlib.Path
        The datasets folder.
    """
    written = []
    with tempfile.TemporaryDirectory() as place:
        for archive in {archive for archive, _ in GRIDS.values()}:
            with tarfile.open(source / archive) as packed:
                packed.extractall(place, filter="data")
        for name, (archive, options) in GRIDS.items():
            build_grid(Path(place) / archive.removesuffix(".tar.xz"), name, output=output / "tracks", **options)
            written.append(output / "tracks" / f"{name}.h5")
    update_sums(written, output)
    return written


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="directory of the archives")
    parser.add_argument("--output", type=Path, required=True, help="where the grids go, usually datasets")
    arguments = parser.parse_args()
    try:
        written = build(arguments.source, arguments.output)
    except (StellarcrError, OSError, tarfile.TarError) as error:
        print(f"build_tracks: {error}", file=sys.stderr)
        return 2
    for path in written:
        print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
