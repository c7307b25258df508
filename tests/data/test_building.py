"""The script that makes the tables: the same sources give the same bytes, and wrong sources are refused.

The source directory is rebuilt here from the tables themselves, in the form that the script reads.
"""

import csv
import dataclasses
import importlib.util
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from astropy.table import Table

from stellarcr.data import list_spectra, load_table
from stellarcr.data.content import content_path

_spec = importlib.util.spec_from_file_location("nuclear_samples", Path(__file__).with_name("nuclear_samples.py"))
nuclear_samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(nuclear_samples)

ROOT = Path(__file__).parents[2]
AXES = {"R": "rigidity GV", "ETOT": "E_total GeV", "EK": "Ekin_total GeV", "EKN": "Ekin_per_n GeV/n"}


def flag_of_the_source(ours: str, vocabulary) -> str:
    counts = re.fullmatch(r"([\d.]+) counts, telescope (\d)", ours)
    events = re.fullmatch(r"(\d+) events", ours)
    if counts:
        return f"counts={counts[1]} telescope={counts[2]}"
    if events:
        return f"N_events={events[1]}"
    return {text: theirs for theirs, text in vocabulary.FLAGS.items()}[ours]


def cell(number: float) -> str:
    return "" if math.isnan(number) else repr(float(number))


def source_rows(entry, spectrum, vocabulary):
    reference = spectrum.metadata["reference"]
    ref = reference["text"]
    ref += f", doi:{reference['doi']}" if reference["doi"] else ""
    ref += f", arXiv:{reference['arxiv']}" if reference["arxiv"] else ""
    ref += f" {reference['table']}" if reference["table"] else ""
    ref += f" [{spectrum.metadata['data_period']}]" if spectrum.metadata["data_period"] else ""
    points = {ours: theirs for theirs, ours in vocabulary.X_DEFINITIONS.items()}
    edges = {ours: theirs for theirs, ours in vocabulary.EDGES_DEFINITIONS.items()}
    pairs = [pair for name, pair in spectrum.systematics.items()]
    alone = len(pairs) == 1 and entry.columns[next(iter(entry.systematics))] == "sys"
    for i in range(len(spectrum)):
        total = [math.sqrt(sum(pair[side].value[i] ** 2 for pair in pairs)) for side in (0, 1)]
        sums = [cell(value) if alone else f"{value:.7g}" for value in total] if pairs else ["", ""]
        split = {
            entry.columns[name]: cell(pair[0].value[i])
            for name, pair in spectrum.systematics.items()
            if entry.columns[name].startswith("sys_")
        }
        yield {
            "axis": AXES[spectrum.axis],
            "x_lo": cell(spectrum.x_low.value[i]),
            "x_hi": cell(spectrum.x_high.value[i]),
            "x_mean": cell(spectrum.x.value[i]),
            "flux": cell(spectrum.value.value[i]),
            "stat_lo": cell(spectrum.stat_low.value[i]),
            "stat_hi": cell(spectrum.stat_high.value[i]),
            "sys_lo": sums[0],
            "sys_hi": sums[1],
            "is_upper_limit": str(int(spectrum.upper_limit[i])),
            "ref": ref,
            "source": spectrum.metadata["provenance"],
            "sys_ana": split.get("sys_ana", ""),
            "sys_had": split.get("sys_had", ""),
            "x_mean_def": points[spectrum.metadata["x_definition"]],
            "edges_def": edges[spectrum.metadata["edges_definition"]],
            "flag": flag_of_the_source(spectrum.flags[i], vocabulary),
        }


def write_csv(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def edit_csv(path: Path, row: int, **changes: str) -> None:
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    rows[row] |= changes
    write_csv(path, rows)


@pytest.fixture(scope="module")
def pristine(building, tmp_path_factory):
    """A source directory that holds what the tables of stellarcr were made from."""
    catalogue = building("dataset_building.catalogue")
    vocabulary = building("dataset_building.vocabulary")
    folder = tmp_path_factory.mktemp("source")
    entries = {entry.name: entry for entry in list_spectra()}
    index = []
    for source in catalogue.catalogue():
        entry = entries[source.name]
        spectrum = load_table(entry.path)
        write_csv(folder / "spectra" / source.file, list(source_rows(source, spectrum, vocabulary)))
        index.append(
            {
                "file": source.file,
                "n": str(entry.points),
                "xmin": f"{entry.x_min:g}",
                "xmax": f"{entry.x_max:g}",
                "confidence": spectrum.metadata["confidence"] + " (as the index words it)",
            }
        )
    write_csv(folder / "spectra" / "INDEX.csv", index)
    yields = Table.read(content_path("datasets", "yields", "seitenzahl2013.ecsv"))
    lines = [
        {
            "model": r["model"],
            "isotope": f"{r['element'].lower()}{r['mass_number']}",
            "mass_msun": repr(float(r["mass"])),
        }
        for r in yields
    ]
    write_csv(folder / "yields" / "seitenzahl2013_sn_ia.csv", lines[::-1])
    nuclear_samples.write_nuclear_sources(folder / "nuclear")
    return folder


@pytest.fixture
def source(pristine, tmp_path):
    return Path(shutil.copytree(pristine, tmp_path / "source"))


def run(source: Path, output: Path, seed: str) -> subprocess.CompletedProcess:
    script = ROOT / "scripts" / "build_datasets.py"
    command = [sys.executable, str(script), "--source", str(source), "--output", str(output)]
    environment = os.environ | {"PYTHONHASHSEED": seed}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=output.parent)


def test_same_sources_give_the_same_bytes(pristine, tmp_path):
    # With some order of hashing; the shipped tables were made with another.
    result = run(pristine, tmp_path / "made", "1")
    assert result.returncode == 0, result.stderr
    assert "197 tables written" in result.stdout
    shipped = (content_path("datasets") / "SHA256SUMS").read_text().splitlines()
    made = (tmp_path / "made" / "SHA256SUMS").read_text().splitlines()
    # made by scripts/build_tracks.py, and written by hand
    assert made == [line for line in shipped if not re.search("  (tracks|nearby)/", line)]


@pytest.mark.parametrize(
    ("file", "row", "changes", "words"),
    [
        ("spectra/AMS-02_H.csv", 3, {"flux": "-1"}, ["row 4", "'value'", "-1"]),
        ("spectra/AMS-02_H.csv", 3, {"x_mean": "9"}, ["row 4", "'x'", "outside its bin"]),
        ("spectra/AMS-02_H.csv", 3, {"flag": "odd"}, ["'odd' is not in the catalogue"]),
        ("spectra/AMS-02_H.csv", 3, {"ref": "B. Author"}, ["'ref' differs between rows"]),
        ("spectra/INDEX.csv", 0, {"n": "71"}, ["AMS-02_H: 72 points, the index says 71"]),
        ("spectra/INDEX.csv", 0, {"xmax": "1900"}, ["AMS-02_H", "xmax = 1900"]),
        ("spectra/INDEX.csv", 0, {"file": "AMS-02_Hh.csv"}, ["does not mention AMS-02_Hh.csv"]),
    ],
)
def test_wrong_sources_end_with_a_message(source, tmp_path, file, row, changes, words):
    edit_csv(source / file, row, **changes)
    result = run(source, tmp_path / "out", "0")
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr


def test_missing_source_table(source, tmp_path):
    (source / "spectra" / "AMS-02_H.csv").unlink()
    result = run(source, tmp_path / "out", "0")
    assert result.returncode == 2
    assert "AMS-02_H.csv not found" in result.stderr


def test_a_source_without_a_line_in_the_index(source, tmp_path):
    path = source / "spectra" / "INDEX.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if "AMS-02_H.csv" not in line) + "\n")
    result = run(source, tmp_path / "out", "0")
    assert result.returncode == 2
    assert "AMS-02_H.csv: no line in" in result.stderr


@pytest.fixture(scope="module")
def spectra():
    wanted = ("AMS-02_H", "DAMPE_H", "LHAASO_H_", "LHAASO_He_", "LHAASO_pHe_")
    return {
        entry.name: load_table(entry.path)
        for entry in list_spectra()
        if entry.name.startswith(wanted) and entry.status == "recommended"
    }


def scaled(spectra, name, factor):
    return {**spectra, name: dataclasses.replace(spectra[name], value=spectra[name].value * factor)}


@pytest.mark.parametrize("name", ["LHAASO_He_EPOS-LHC", "LHAASO_H_SIBYLL-2.3d", "LHAASO_pHe_QGSJET-II-04"])
def test_helium_check_sees_a_change_of_a_percent(building, spectra, name):
    checks = building("dataset_building.checks")
    checks.check_lhaaso_helium(spectra)
    with pytest.raises(building("dataset_building.sources").BuildError, match="He is not p\\+He minus H in bin 1"):
        checks.check_lhaaso_helium(scaled(spectra, name, 1.01))


@pytest.mark.parametrize("name", ["AMS-02_H", "DAMPE_H", "LHAASO_H_EPOS-LHC"])
def test_level_check_sees_a_change_of_a_tenth(building, spectra, name):
    checks = building("dataset_building.checks")
    checks.check_levels(spectra)
    with pytest.raises(building("dataset_building.sources").BuildError, match=name.split("_")[0]):
        checks.check_levels(scaled(spectra, name, 1.1))


def test_quadrature_check_sees_a_wrong_component(building, spectra, pristine):
    sources = building("dataset_building.sources")
    entry = next(e for e in building("dataset_building.catalogue").catalogue() if e.name == "DAMPE_He")
    source = sources.read_source(pristine / "spectra", entry.file, sources.read_index(pristine / "spectra"))
    check = building("dataset_building.checks").check_against_source
    made = spectra["DAMPE_He"]
    check(entry, source, made)
    low, high = made.systematics["hadronic"]
    spoiled = dataclasses.replace(made, systematics={**made.systematics, "hadronic": (low, 1.01 * high)})
    with pytest.raises(sources.BuildError, match="quadrature"):
        check(entry, source, spoiled)


def test_references_are_split(building):
    split = building("dataset_building.sources").split_reference
    text = "X Collab., Nature 1, 2 (2026), doi:10.1038/s1-2-3, arXiv:2511.05409 Table S1"
    assert split(text, {}) == (
        {"text": "X Collab., Nature 1, 2 (2026)", "doi": "10.1038/s1-2-3", "arxiv": "2511.05409", "table": "Table S1"},
        "",
    )
    assert split("Y, J. 3 (2021) [2011/05-2018/05]", {"J. 3": "10.1/x"}) == (
        {"text": "Y, J. 3 (2021)", "doi": "10.1/x", "arxiv": "", "table": ""},
        "2011/05-2018/05",
    )


@pytest.mark.parametrize(
    ("code", "experiment", "text", "doi"),
    [
        (
            "10.1103/PhysRevLett.129.251103 (2022PhRvL.129y1103A)",
            "CALET",
            "CALET Collab., PRL 129, 251103 (2022)",
            "10.1103/PhysRevLett.129.251103",
        ),
        (
            "10.1103/PhysRevD.75.042004 (2007PhRvD..75d2004A)",
            "H.E.S.S.",
            "H.E.S.S. Collab., PRD 75, 042004 (2007)",
            "10.1103/PhysRevD.75.042004",
        ),
        (
            "10.1016/j.astropartphys.2008.07.010  (2008APh....30..133A)",
            "CREAM",
            "CREAM Collab., Astropart. Phys. 30, 133 (2008)",
            "10.1016/j.astropartphys.2008.07.010",
        ),
        (
            "10.22323/1.236.0263 (2015ICRC...34..263S)",
            "KASCADE-Grande",
            "KASCADE-Grande Collab., PoS(ICRC2015)263",
            "10.22323/1.236.0263",
        ),
        # the DOI is that of another paper: it is not carried on
        (
            "10.1103/PhysRevLett.124.211102 (2021PhRvL.126d1104A)",
            "AMS-02",
            "AMS Collab., PRL 126, 041104 (2021)",
            "",
        ),
    ],
)
def test_bibliographic_codes_are_written_out(building, code, experiment, text, doi):
    split = building("dataset_building.sources").split_reference
    assert split(code, {}, experiment) == ({"text": text, "doi": doi, "arxiv": "", "table": ""}, "")


def test_an_unknown_journal_stops_the_build(building):
    sources = building("dataset_building.sources")
    with pytest.raises(sources.BuildError, match="'Natur' is not known"):
        sources.split_reference("10.1038/x (2026Natur.653...52D)", {}, "DAMPE")


def test_hadronic_model_and_empty_colons_leave_the_reference(building):
    split = building("dataset_building.sources").split_reference
    text = "K: A et al., JCAP 05 (2024) 125, arXiv:2312.08279, QGSJet-II-04 Table 2"
    wanted = {"text": "K: A et al., JCAP 05 (2024) 125", "doi": "", "arxiv": "2312.08279", "table": "Table 2"}
    assert split(text, {}) == (wanted, "")
    wanted = {"text": "T (2026)", "doi": "", "arxiv": "2603.14804v2", "table": "Table A.1"}
    assert split("T: arXiv:2603.14804v2 (2026) Table A.1", {}) == (wanted, "")


def test_a_component_is_recovered_from_a_sum_in_quadrature(building):
    spectra = building("dataset_building.spectra")
    # 0.117 and 0.385 give 0.4023854 (seven digits)
    assert spectra.remainder(0.4023854, 0.117) == 0.385
    assert spectra.remainder(5.0, 4.0) == 3.0
    with pytest.raises(building("dataset_building.sources").BuildError, match="larger than the total"):
        spectra.remainder(1.0, 2.0)


def test_equal_rigidity_factor_against_the_spectra_it_comes_from(building):
    factor = building("dataset_building.compositions").equal_rigidity_factor
    # N(E) = E^-g per energy per nucleon; count the nuclei between two rigidities in both variables.
    index, charge, mass_number = 2.36, 2, 4
    low, high = 10.0, 20.0
    per_rigidity = factor(charge, mass_number, index) * (low ** (1 - index) - high ** (1 - index)) / (index - 1)
    e_low, e_high = low * charge / mass_number, high * charge / mass_number
    per_energy = (e_low ** (1 - index) - e_high ** (1 - index)) / (index - 1)
    assert per_rigidity == pytest.approx(per_energy, rel=1e-12)


@pytest.mark.parametrize(
    ("row", "changes", "words"),
    [
        (0, {"isotope": "xx12"}, "unknown isotope 'xx12'"),
        (0, {"isotope": "fe56x"}, "unknown isotope 'fe56x'"),
        (0, {"mass_msun": "0.5"}, "not about 1.4"),
        (0, {"isotope": "fe56"}, "different isotopes"),
    ],
)
def test_wrong_yields(building, source, row, changes, words):
    edit_csv(source / "yields" / "seitenzahl2013_sn_ia.csv", row, **changes)
    with pytest.raises(building("dataset_building.sources").BuildError, match=words):
        building("dataset_building.yields").make_type_ia(source / "yields")
