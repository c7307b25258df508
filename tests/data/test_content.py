"""Datasets and likelihood files are found from a checkout and from a wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stellarcr.data import content
from stellarcr.data.content import content_path
from stellarcr.errors import DataError

ROOT = Path(__file__).parents[2]

REPORT = """
import stellarcr
from stellarcr.data import content_path, load_composition, load_spectrum
print(stellarcr.__file__)
print(content_path("datasets"))
print(content_path("likelihoods"))
print(len(load_spectrum("AMS-02", "He")), load_composition("snr").elements["H"])
"""


def report(path: Path, cwd: Path) -> list[str]:
    """Where a fresh interpreter, started elsewhere, finds package and content."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONPATH"] = str(path)
    result = subprocess.run(
        [sys.executable, "-c", REPORT], capture_output=True, text=True, cwd=cwd, env=environment, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build a wheel without network and unpack it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    (archive,) = folder.glob("*.whl")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.mark.parametrize("name", ["datasets", "likelihoods"])
def test_wheel_ships_the_content(wheel, name):
    def files(folder):
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    shipped, ours = files(wheel / "stellarcr" / "_content" / name), files(ROOT / name)
    assert shipped
    assert shipped == ours


def test_wheel_finds_its_content(wheel, tmp_path):
    package, datasets, likelihoods, loaded = report(wheel, tmp_path)
    assert Path(package).parent == wheel / "stellarcr"
    assert Path(datasets) == wheel / "stellarcr" / "_content" / "datasets"
    assert Path(likelihoods) == wheel / "stellarcr" / "_content" / "likelihoods"
    assert loaded == "68 0.8"


def test_checkout_finds_its_content(tmp_path):
    package, datasets, likelihoods, loaded = report(ROOT, tmp_path)
    assert Path(package).parent == ROOT / "stellarcr"
    assert Path(datasets) == ROOT / "datasets"
    assert Path(likelihoods) == ROOT / "likelihoods"
    assert loaded == "68 0.8"


def test_import_name_is_the_only_one(wheel):
    assert {p.name for p in wheel.iterdir() if p.suffix != ".dist-info"} == {"stellarcr"}


def test_parts_of_a_path():
    assert content_path("datasets", "spectra", "DAMPE").is_dir()


def test_unknown_content():
    with pytest.raises(DataError, match="did you mean 'datasets'"):
        content_path("dataset")


def test_unknown_file_is_answered_with_the_nearest():
    with pytest.raises(DataError, match="did you mean 'AMS-02'"):
        content_path("datasets", "spectra", "AMS-2")
    with pytest.raises(DataError, match="no 'spectre/AMS-02'"):
        content_path("datasets", "spectre", "AMS-02")


def test_package_without_content(monkeypatch, tmp_path):
    monkeypatch.setattr(content, "_PACKAGE", tmp_path / "stellarcr")
    with pytest.raises(DataError, match="'likelihoods' was not found") as caught:
        content_path("likelihoods")
    assert "reinstall" in caught.value.remedy
    assert str(tmp_path) in caught.value.where


def test_import_of_the_data_package_is_light(tmp_path):
    program = (
        "import sys, stellarcr.data; assert 'load_spectrum' in dir(stellarcr.data); print('astropy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.strip() == "False"
