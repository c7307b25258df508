"""Whole folders: hashes, lists, names, and every fault of every table."""

import hashlib
import shutil

import numpy as np
import pytest
from astropy.table import Column

from stellarcr.data import content_path, verify
from stellarcr.errors import DataError


@pytest.fixture
def folder(tmp_path, write, table):
    """Two good tables and the list of their hashes."""
    write(table, "one/good.ecsv")
    table.meta["name"] = "TEST_C"
    table.meta["species"] = "C"
    write(table, "two/carbon.ecsv")
    (tmp_path / "SHA256SUMS").write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(tmp_path).as_posix()}\n"
            for path in sorted(tmp_path.rglob("*.ecsv"))
        )
    )
    return tmp_path


def problems(result):
    assert not result
    return "\n".join(f"{fault.file}: {fault.problem}" for fault in result.faults)


def test_shipped_tables():
    result = verify(["AMS-02_*"])
    assert result
    assert result.hashed == result.tables > 15
    assert result.points > 500


def test_compositions_and_yields_are_hashed_too(tmp_path):
    for name in ("compositions", "nearby", "nuclear", "tracks", "yields"):
        shutil.copytree(content_path("datasets", name), tmp_path / name)
    lines = (content_path("datasets") / "SHA256SUMS").read_text().splitlines(keepends=True)
    (tmp_path / "SHA256SUMS").write_text("".join(line for line in lines if "spectra/" not in line))
    assert verify(folder=tmp_path)
    path = next((tmp_path / "yields").glob("*.ecsv"))
    path.write_text(path.read_text() + "N1 C 6 12 0.1\n")
    assert "the file was changed" in problems(verify(folder=tmp_path))


def test_a_good_folder(folder):
    result = verify(folder=folder)
    assert result
    assert (result.tables, result.points, result.hashed, result.faults) == (2, 6, 2, ())


def test_a_folder_without_hashes_is_validated(folder):
    (folder / "SHA256SUMS").unlink()
    result = verify(folder=folder)
    assert result
    assert result.hashed is None


def test_a_changed_number_is_seen_by_its_hash(folder):
    path = folder / "one" / "good.ecsv"
    path.write_text(path.read_text().replace(" 0.5 ", " 0.6 "))
    result = verify(folder=folder)
    assert problems(result).count("the file was changed") == 1
    assert result.faults[0].file == str(path)


def test_a_missing_file(folder):
    (folder / "two" / "carbon.ecsv").unlink()
    assert "listed in SHA256SUMS but missing" in problems(verify(folder=folder))
    assert "carbon.ecsv" in problems(verify(["carbon"], folder))
    assert verify(["TEST_He"], folder)


def test_a_file_that_is_not_listed(folder, write, table):
    table.meta["name"] = "TEST_new"
    write(table, "new.ecsv")
    assert "new.ecsv: the file is not listed" in problems(verify(folder=folder))


def test_two_tables_of_one_name(folder, write, table):
    (folder / "SHA256SUMS").unlink()
    write(table, "copy.ecsv")  # the fixture's last name is TEST_C
    told = problems(verify(folder=folder))
    assert "two tables are named 'TEST_C'" in told
    assert "copy.ecsv" in told
    assert "carbon.ecsv" in told


def test_a_damaged_list(folder):
    sums = folder / "SHA256SUMS"
    sums.write_text(sums.read_text() + "not a hash\n")
    assert "line 3 is no hash and file name: 'not a hash'" in problems(verify(folder=folder))


def test_all_faults_of_all_tables(folder, write, table):
    (folder / "SHA256SUMS").unlink()
    table["value"][0] = -1.0
    table["stat_high"][2] = np.nan
    write(table, "two/carbon.ecsv")
    table.meta["name"] = "TEST_more"
    del table.meta["axis"]
    write(table, "three/more.ecsv")
    (folder / "three" / "text.ecsv").write_bytes(b"\xff\xfe")
    result = verify(folder=folder)
    told = {(fault.row, fault.column, fault.value) for fault in result.faults}
    assert {(1, "value", "-1"), (3, "stat_high", "nan"), (None, None, None)} <= told
    assert len({fault.file for fault in result.faults}) == 3
    assert all(fault.remedy for fault in result.faults)
    assert result.tables == 4


def test_a_column_is_named(folder, write, table):
    (folder / "SHA256SUMS").unlink()
    table["x"] = Column(np.array(table["x"]), unit="Gflop")
    write(table, "two/carbon.ecsv")
    assert [(fault.row, fault.column) for fault in verify(folder=folder).faults] == [(None, "x")]


def test_a_schema_that_nobody_knows_is_no_way_out(folder, write, table):
    (folder / "SHA256SUMS").unlink()
    table.meta["schema"] = "stellarcr-spectra/1"
    write(table, "two/carbon.ecsv")
    assert "'stellarcr-spectra/1'" in problems(verify(folder=folder))


def test_names_choose(folder):
    assert verify(["TEST_He"], folder).tables == 1
    assert verify(["TEST_*"], folder).tables == 2
    with pytest.raises(DataError, match="did you mean 'TEST_He'"):
        verify(["TEST_Hee"], folder)


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_no_tables(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError) as caught:
        verify(folder=tmp_path / name)
    assert name in caught.value.where
    assert caught.value.remedy
