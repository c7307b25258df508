"""stellarcr reproduce: what it prints, writes and refuses."""

import json
import subprocess
import sys

from stellarcr.studies.reproduce import items, printing


def test_unknown_item(stellarcr):
    result = stellarcr("reproduce", "eq41")
    assert result.code == 2
    assert "eq41" in result.err
    assert "eq14" in result.err


def test_unknown_options_are_refused_before_anything_is_computed(stellarcr, monkeypatch):
    monkeypatch.setattr(printing, "find_item", lambda name: 1 / 0)
    for option, wrong, right in (
        ("--recipe", "nugis-lamer", "nugis-lamers"),
        ("--grid", "genec-z014-v4", "genec-z014-v40"),
        ("--iron", "solr", "solar"),
    ):
        result = stellarcr("reproduce", "eq14", option, wrong)
        assert result.code == 2
        assert wrong in result.err
        assert right in result.err


def test_json_is_all_that_is_printed_and_nothing_is_written(stellarcr, tmp_path):
    result = stellarcr("reproduce", "eq14", "--json", "--grid", "genec-z014-v00")
    found = json.loads(result.out)
    assert list(found) == ["eq14"]
    assert all(set(row) == {"quantity", "unit", "ours", "paper", "ratio"} for row in found["eq14"])
    assert not list((tmp_path / "work").iterdir())


def test_figures_are_written_where_it_says(stellarcr, monkeypatch, tmp_path):
    def item(settings):
        from matplotlib.figure import Figure

        row = items.Row("a number", "", 1.0, 2.0)
        return items.Result(f"with {settings.recipe}", (row,), draw=Figure)

    monkeypatch.setattr(printing, "find_item", lambda name: item)
    result = stellarcr("reproduce", "fig6", "--recipe", "track-radius")
    assert result.code == 0
    assert "with track-radius" in result.out
    for name in ("fig6.pdf", "fig6.png"):
        assert f"written: reproduce/{name}" in result.out
        assert (tmp_path / "work" / "reproduce" / name).is_file()
    result = stellarcr("reproduce", "fig7", "--json", "-o", "elsewhere")
    assert json.loads(result.out)["fig7"][0]["ratio"] == 0.5
    assert (tmp_path / "work" / "elsewhere" / "fig7.png").is_file()


def test_numbers_alone_do_not_load_matplotlib():
    code = (
        "import sys\n"
        "from stellarcr import cli\n"
        "sys.argv = ['stellarcr', 'reproduce', 'eq14', '--json', '--grid', 'genec-z014-v00']\n"
        "try:\n    cli.main()\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "print('matplotlib' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "False"
    assert "eq14" in json.loads(done.stdout)
