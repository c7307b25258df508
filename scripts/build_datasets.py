"""Make the tables in datasets/ from a directory of source tables, and check what was made.

    python scripts/build_datasets.py --source DIR --output datasets

The source directory holds:

spectra/INDEX.csv
    One line per source table: file, quantity, n (number of points), axis, xmin, xmax, confidence, ref, source,
    transform.
spectra/<experiment>_<species>.csv, spectra/alt/ (superseded), spectra/ratios/, spectra/lnA/
    Measured spectra, one line per bin: axis ("rigidity GV", "E_total GeV", "Ekin_total GeV", "Ekin_per_n GeV/n"),
    x_lo, x_hi (empty where no edges are known), x_mean, flux (per m2 s sr and unit of the axis, a ratio, or <ln A>),
    stat_lo, stat_hi, sys_lo, sys_hi, is_upper_limit (0 or 1), ref, source, sys_ana, sys_had (a total that is
    split), x_mean_def, edges_def, flag. An empty cell is a number that was not published.
yields/seitenzahl2013_sn_ia.csv
    Type Ia yields: model, isotope (such as fe56), mass_msun.
nuclear/evoli2019_cumulative.csv.xz
    Z_frag, A_frag, Z_proj, A_proj, then one column per kinetic energy per nucleon [GeV]: production on hydrogen [mb].
nuclear/webber2003_production.txt
    Code AAZZaazz of projectile and fragment, then production on hydrogen [mb]; energies in the first line [MeV/n].
nuclear/inelastic_total.csv
    model, Z, A, then one column per energy: inelastic cross section on hydrogen [mb].

Which tables are made, and what is said of them, stands in dataset_building/catalogue.py and the modules that it
joins; the compositions stand in dataset_building/compositions.py. A table of the index that the catalogue does not
mention stops the build. Every table is read back and validated, compared with its source, and the set is checked for
known sums and levels. Running twice gives the same bytes; SHA256SUMS (for ``sha256sum -c``) lists them;
its lines for datasets/tracks, which scripts/build_tracks.py makes, are kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dataset_building.catalogue import catalogue
from dataset_building.checks import check_against_source, check_levels, check_lhaaso_helium
from dataset_building.compositions import make_galactic_source_composition, make_placeholder_neon, make_table_3
from dataset_building.nuclear import make_nuclear
from dataset_building.sources import BuildError, read_index, read_source
from dataset_building.spectra import make_spectrum, write_table
from dataset_building.sums import update_sums
from dataset_building.yields import make_type_ia

from stellarcr.data import load_table
from stellarcr.errors import StellarcrError


def build(source: Path, output: Path) -> list[Path]:
    """Make all tables.

    Parameters
    ----------
    source : pathlib.Path
        Directory of source tables.
    output : pathlib.Path
        The datasets folder.

    Returns
    -------
    list of pathlib.Path
        The files, without SHA256SUMS.

    Raises
    ------
    BuildError, StellarcrError
        If a source is missing or a table fails a check.
    """
    written = []
    spectra = {}
    index = read_index(source / "spectra")
    _require_complete(index)
    for entry in catalogue():
        given = read_source(source / "spectra", entry.file, index)
        if entry.bins_overlap:
            given = given.sorted()
        path = output / "spectra" / entry.folder / f"{entry.name}.ecsv"
        write_table(make_spectrum(entry, given), path)
        spectra[entry.name] = load_table(path)
        check_against_source(entry, given, spectra[entry.name])
        written.append(path)
    check_lhaaso_helium(spectra)
    check_levels(spectra)
    others = {
        "yields": [make_type_ia(source / "yields")],
        "compositions": [make_table_3(), make_placeholder_neon(), make_galactic_source_composition()],
        "nuclear": make_nuclear(source / "nuclear"),
    }
    for folder, tables in others.items():
        for table in tables:
            path = output / folder / f"{table.meta['name']}.ecsv"
            write_table(table, path)
            written.append(path)
    update_sums(written, output)
    return written


def _require_complete(index: dict[str, dict[str, str]]) -> None:
    """Refuse a source table that the catalogue does not mention: nothing is left out silently."""
    unknown = sorted(set(index) - {entry.file for entry in catalogue()})
    if unknown:
        raise BuildError(
            f"the catalogue does not mention {', '.join(unknown)}; add them, with what a reader should know"
        )


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True, help="directory of source tables")
    parser.add_argument("--output", type=Path, required=True, help="where the tables go, usually datasets")
    arguments = parser.parse_args()
    try:
        written = build(arguments.source, arguments.output)
    except (BuildError, StellarcrError) as error:
        print(f"build_datasets: {error}", file=sys.stderr)
        return 2
    print(f"{len(written)} tables written to {arguments.output} and checked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
