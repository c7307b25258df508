"""Sources of nuclear cross sections that the build script refuses."""

import importlib.util
import lzma
import shutil
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("nuclear_samples", Path(__file__).with_name("nuclear_samples.py"))
samples = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(samples)

EVOLI, WEBBER, INELASTIC = "evoli2019_cumulative.csv.xz", "webber2003_production.txt", "inelastic_total.csv"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source") / "nuclear"
    samples.write_nuclear_sources(folder)
    return folder


@pytest.fixture
def folder(pristine, tmp_path):
    return Path(shutil.copytree(pristine, tmp_path / "nuclear"))


@pytest.fixture
def refused(building, folder):
    """Make the table of one source and give the words of the refusal."""

    def message(file):
        module = building("dataset_building.nuclear")
        make = {EVOLI: module.make_evoli, WEBBER: module.make_webber, INELASTIC: module.make_inelastic}[file]
        with pytest.raises(building("dataset_building.sources").BuildError) as caught:
            make(folder / file)
        return str(caught.value)

    return message


def edit(path, change):
    """Change the lines of a source, packed or not."""
    opened = lzma.open if path.suffix == ".xz" else open
    with opened(path, "rt") as stream:
        lines = [line.rstrip("\n") for line in stream]
    with opened(path, "wt", **({"preset": 0} if path.suffix == ".xz" else {})) as stream:
        stream.write("\n".join(change(lines)) + "\n")


@pytest.mark.parametrize("name", [EVOLI, WEBBER, INELASTIC])
def test_a_missing_source_is_named(folder, refused, name):
    (folder / name).unlink()
    assert f"no source table {name} in nuclear/" in refused(name)


def test_a_source_without_the_chosen_energies(folder, refused):
    edit(folder / EVOLI, lambda lines: [line.rpartition(",")[0] for line in lines])
    assert "the energies 0.1015 to 1000.0 GeV/n are not all there" in refused(EVOLI)


def test_a_source_that_the_chosen_energies_do_not_represent(folder, refused):
    def add_a_peak(lines):
        # between 47.78 and 1000 GeV/n
        return [f"{line.rpartition(',')[0]},{value},{line.rpartition(',')[2]}"
                 for line, value in zip(lines, ["2.0000e+02", "1e4", *["0.0"] * len(lines)], strict=False)]  # fmt: skip

    edit(folder / EVOLI, add_a_peak)
    assert "at 200 GeV/n with the chosen energies" in refused(EVOLI)


def test_a_negative_cross_section(folder, refused):
    edit(
        folder / WEBBER,
        lambda lines: [lines[0], lines[1].rpartition("\t")[0] + "\t-1", *lines[2:]],
    )
    assert "webber2003: a cross section is negative" in refused(WEBBER)


def test_a_model_that_is_not_there(folder, refused):
    edit(folder / INELASTIC, lambda lines: [line for line in lines if "Barashenkov" not in line])
    assert "no rows of the model 'Barashenkov94'" in refused(INELASTIC)


def test_chromium_48_is_counted_as_titanium(building, folder):
    def add_chromium(lines):
        width = lines[0].count(",") - 3
        return [
            *lines,
            ",".join(["24", "48", "28", "58", *["7.0"] * width]),
            ",".join(["6", "12", "24", "48", *["3.0"] * width]),
        ]

    make = building("dataset_building.nuclear").make_evoli
    before = make(folder / EVOLI)
    edit(folder / EVOLI, add_chromium)
    after = make(folder / EVOLI)
    assert len(after) == len(before)
    row = (before["parent"] == "Ni58") & (before["fragment"] == "Ti48")
    assert after["E1.029"][row][0] == pytest.approx(before["E1.029"][row][0] + 7.0)
    assert "Cr48" not in {*after["parent"], *after["fragment"]}
