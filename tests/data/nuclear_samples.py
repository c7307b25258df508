"""Source tables of nuclear cross sections, rebuilt from the tables of stellarcr in the form that the script reads."""

import lzma
from pathlib import Path

from astropy.table import Table

from stellarcr.data.content import content_path
from stellarcr.species import NUCLIDES

BY_NAME = {n.name: n for n in NUCLIDES.values()}
MODELS = {"tripathi1999": "Tripathi99+Coste12", "barashenkov1994": "Barashenkov94"}


def read(name: str) -> tuple[Table, list[str]]:
    """A shipped table and the names of its columns of energies."""
    table = Table.read(content_path("datasets", "nuclear", f"{name}.ecsv"))
    return table, [column for column in table.colnames if column.startswith("E")]


def write_nuclear_sources(folder: Path) -> None:
    """Write the three files of ``nuclear/``."""
    folder.mkdir(parents=True)
    table, columns = read("evoli2019")
    lines = [",".join(["Z_frag", "A_frag", "Z_proj", "A_proj", *(f"{float(c[1:]):.4e}" for c in columns)])]
    for row in table:
        numbers = [
            n for name in (row["fragment"], row["parent"]) for n in (BY_NAME[name].charge, BY_NAME[name].mass_number)
        ]
        lines.append(",".join(map(str, [*numbers, *(repr(float(row[c])) for c in columns)])))
    with lzma.open(folder / "evoli2019_cumulative.csv.xz", "wt", preset=0) as stream:
        stream.write("\n".join(lines) + "\n")
    table, columns = read("webber2003")
    lines = ["\t".join(["00000000", *(f"{1e3 * float(c[1:]):g}." for c in columns)])]
    for row in table:
        parent, fragment = BY_NAME[row["parent"]], BY_NAME[row["fragment"]]
        code = "".join(f"{n:02d}" for x in (parent, fragment) for n in (x.mass_number, x.charge))
        lines.append("\t".join([code, *(repr(float(row[c])) for c in columns)]))
    # what the script leaves out: protons, neutrons, pairs of equal mass number
    lines += ["\t".join([code, *["1."] * len(columns)]) for code in ("12060101", "29140100", "55265525")]
    (folder / "webber2003_production.txt").write_text("\n".join(lines) + "\n")
    lines = []
    for name, model in MODELS.items():
        table, columns = read(name)
        lines = lines or [",".join(["model", "Z", "A", *(f"sigma_mb_at_{c[1:]}GeVn" for c in columns)])]
        for row in table:
            found = BY_NAME[row["nuclide"]]
            lines.append(
                ",".join([model, str(found.charge), str(found.mass_number), *(repr(float(row[c])) for c in columns)])
            )
    (folder / "inelastic_total.csv").write_text("\n".join(lines) + "\n")
