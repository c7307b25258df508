"""The registry of items, and what is printed of a result."""

import json

import pytest

from stellarcr.errors import ParameterError
from stellarcr.studies.reproduce import printing
from stellarcr.studies.reproduce.items import Result, Row, Settings
from stellarcr.studies.reproduce.printing import Survey, text_of
from stellarcr.studies.reproduce.registry import ITEMS, chosen_items, find_item

RESULT = Result("a title", (Row("speed of it", "km/s", 30.0, 20.0), Row("verdict on it", "", "yes", "no")), ("a note",))


def test_every_item_is_there():
    for name in ITEMS:
        assert callable(find_item(name))


def test_all_and_repeated_names():
    assert chosen_items(["all"]) == tuple(ITEMS)
    assert chosen_items(["eq14", "fig2", "eq14"]) == ("eq14", "fig2")
    assert chosen_items(["eq14", "all"])[0] == "eq14"


def test_unknown_item_names_the_nearest():
    with pytest.raises(ParameterError, match=r"tabel3[\s\S]*table3"):
        chosen_items(["tabel3"])


def test_plain_output_has_numbers_notes_and_hides_what_a_survey_hides(monkeypatch, capsys):
    survey = Survey("b", RESULT.rows, printed=1, summary_title="all of it", summary=(("grid", "H"), ("genec", "0.8")))
    found = {"eq14": RESULT, "table3": survey}
    monkeypatch.setattr(printing, "find_item", lambda name: lambda settings: found[name])
    printing.reproduce(["eq14", "table3"], Settings(), None, as_json=False)
    first, second = capsys.readouterr().out.split("table3: b")
    assert "speed of it" in first
    assert "1.5" in first
    assert "- a note" in first
    assert "verdict on it" in first
    assert "verdict on it" not in second
    assert "all of it" in second
    assert "genec" in second


def test_json_has_all_rows_and_null_for_no_number(monkeypatch, capsys):
    rows = (*RESULT.rows, Row("cutoff of nothing", "GV", None))
    monkeypatch.setattr(printing, "find_item", lambda name: lambda settings: Survey("b", rows, printed=0))
    printing.reproduce(["eq14"], Settings(), None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert found["eq14"][0] == {"quantity": "speed of it", "unit": "km/s", "ours": 30.0, "paper": 20.0, "ratio": 1.5}
    assert found["eq14"][2]["ours"] is None
    assert found["eq14"][1]["ratio"] is None


def test_numbers_to_three_digits():
    assert [text_of(value) for value in (None, "yes", 0.12345, 1.0e53)] == ["-", "yes", "0.123", "1e+53"]
