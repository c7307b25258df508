"""Tables of nearby sources: what is read, and what is refused with file, row, column and remedy."""

import pytest

from stellarcr.data.nearby_sources import SOURCE_TYPES, NearbySource, nearby_table_path, read_nearby_sources
from stellarcr.errors import DataError

TABLE = """# %ECSV 1.0
# ---
# datatype:
# - {name: name, datatype: string}
# - {name: distance, unit: pc, datatype: float64}
# - {name: age, unit: kyr, datatype: float64}
# - {name: type, datatype: string}
# - {name: energy, unit: erg, datatype: float64}
# - {name: gamma, datatype: float64}
# - {name: R_max, unit: TV, datatype: float64}
# - {name: duration, unit: yr, datatype: float64}
# - {name: longitude, unit: deg, datatype: float64}
# - {name: reference, datatype: string}
# meta: !!omap
# - {schema: stellarcr-nearby/1}
# - {name: mine}
# schema: astropy-2.0
name distance age type energy gamma R_max duration longitude reference
old 1000.0 50.0 ia 5.5e+50 -2.0 50.0 "" "" "made up, for a test"
young 300 20 cc 1e50 "" "" 15000.0 -90.0 "made up, for a test"
"""


@pytest.fixture
def written(tmp_path):
    """Return a function that writes the table with one piece of its text replaced."""

    def write(old="", new=""):
        assert old in TABLE
        path = tmp_path / "sources.ecsv"
        path.write_text(TABLE.replace(old, new, 1) if old else TABLE)
        return path

    return write


def test_rows_are_read_and_units_converted(written):
    old, young = read_nearby_sources(written())
    assert old == NearbySource("old", 1.0, 5e4, "ia", 5.5e50, "made up, for a test", -2.0, 5e4)
    assert (young.distance, young.age) == (pytest.approx(0.3), pytest.approx(2e4))
    assert (young.gamma, young.maximum_rigidity, young.duration, young.longitude) == (None, None, 1.5e4, -90.0)


def test_a_subset_in_its_order(written):
    assert [source.name for source in read_nearby_sources(written(), ["young", "old"])] == ["young", "old"]
    assert [source.name for source in read_nearby_sources(written(), ["young"])] == ["young"]


def test_the_shipped_table_is_the_source_of_the_paper():
    (source,) = read_nearby_sources(nearby_table_path("qiu2026"))
    assert (source.distance, source.age, source.energy, source.gamma) == (1.0, 5e4, 5.5e50, -2.0)
    assert source.type == "ia"
    assert "2605.31362" in source.reference
    assert SOURCE_TYPES[source.type] == "type_ia"


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"),
    [
        ("stellarcr-nearby/1", "other/1", "schema is 'other/1'", "stellarcr-nearby/1"),
        ("unit: pc, ", "", "column 'distance' has no unit", "unit: kpc"),
        ("unit: pc, ", "unit: s, ", "column 'distance' has the unit 's'", "unit: kpc"),
        ("{name: gamma, ", "{name: gamma, unit: GV, ", "column 'gamma' has the unit 'GV'", "no unit"),
        ("old 1000.0", "old -1000.0", "row 1, column 'distance': -1000.0 cannot be", "positive"),
        ("5.5e+50", "0.0", "row 1, column 'energy': 0.0 cannot be", "positive"),
        ("1e50", "inf", "row 2, column 'energy': inf cannot be", "positive"),
        ("15000.0", "-1.0", "row 2, column 'duration': -1.0 cannot be", "positive"),
        ("300 20", '300 ""', "row 2, column 'age': it is empty", "give the age of 'young'"),
        ("young", "old", "row 2, column 'name': 'old' is there twice, also in row 1", "own name"),
        ("young", "no-name", "row 2, column 'name': 'no-name' cannot be the name", "underscores"),
        (" cc ", " pulsar ", "row 2, column 'type': 'pulsar' is not known", "cc"),
        ('-90.0 "made up, for a test"', '-90.0 "  "', "row 2, column 'reference': it is empty", "come from"),
        ("300 20", "300 0.9", "row 2, columns 'age' and 'distance': 'young': its age of 900 yr", "above 978"),
        ("1e50", "many", "row 2, column 'energy': 'many' is no number", "ECSV"),
        ("{name: type, datatype: string", "{name: type, datatype: float64", "'ia' is no number", "ECSV"),
    ],
)  # fmt: skip
def test_what_is_refused(old, new, problem, remedy, written):
    path = written(old, new)
    with pytest.raises(DataError) as caught:
        read_nearby_sources(path)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert caught.value.where == str(path)


@pytest.mark.parametrize("column", ["name", "distance", "age", "type", "energy", "reference"])
def test_a_missing_column_is_named(column, tmp_path):
    lines = TABLE.splitlines()
    start = next(k for k, line in enumerate(lines) if not line.startswith("#"))
    place = lines[start].split().index(column)
    header = [line for line in lines[:start] if f"{{name: {column}," not in line]
    rows = [lines[start].split()]
    rows += [[*line.split(maxsplit=9)[:9], '"made up, for a test"'] for line in lines[start + 1 :]]
    body = [" ".join(cell for k, cell in enumerate(row) if k != place) for row in rows]
    path = tmp_path / "short.ecsv"
    path.write_text("\n".join([*header, *body]) + "\n")
    with pytest.raises(DataError) as caught:
        read_nearby_sources(path)
    assert caught.value.problem == f"column {column!r} is missing"
    assert "name, distance, age, type, energy, reference" in caught.value.remedy


def test_an_unknown_column_is_refused(tmp_path, written):
    path = written("{name: gamma, ", "{name: gama, ")
    path.write_text(path.read_text().replace("energy gamma R_max", "energy gama R_max"))
    with pytest.raises(DataError, match="unknown column 'gama'") as caught:
        read_nearby_sources(path)
    assert "gamma" in caught.value.remedy


def test_a_table_without_rows_is_refused(tmp_path):
    path = tmp_path / "empty.ecsv"
    path.write_text("\n".join(TABLE.splitlines()[:-2]) + "\n")
    with pytest.raises(DataError, match="no rows"):
        read_nearby_sources(path)


def test_names_that_are_not_there_or_twice_are_refused(written):
    with pytest.raises(DataError, match="no source 'yung'") as caught:
        read_nearby_sources(written(), ["yung"])
    assert "young" in caught.value.remedy
    with pytest.raises(DataError, match="'old' is asked for twice"):
        read_nearby_sources(written(), ["old", "old"])


def test_missing_tables_name_the_shipped_ones(tmp_path):
    with pytest.raises(DataError) as caught:
        nearby_table_path("sources.ecsv", tmp_path)
    assert "'qiu2026'" in caught.value.remedy
    with pytest.raises(DataError) as caught:
        nearby_table_path("qiu2025")
    assert "qiu2026" in caught.value.remedy
