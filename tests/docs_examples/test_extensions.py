"""The pages on extensions show the files of docs/examples, and their commands run from any folder."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from stellarcr.cli import main
from stellarcr.config import build_posterior, load_config
from stellarcr.infer.runs import read_run
from stellarcr.studies import bench
from stellarcr.studies.pictures import posterior_of

DOCS = Path(__file__).parents[2] / "docs"
TOPICS = ("own_population", "own_prior", "own_data", "own_sampler")
FENCE = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.M | re.S)


def blocks(topic):
    return FENCE.findall((DOCS / "how-to" / f"{topic}.md").read_text())


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_shows_the_example_files(topic):
    folder = DOCS / "examples" / topic
    shown = {title: text for _, title, text in blocks(topic) if title}
    files = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*.*") if "__pycache__" not in p.parts}
    assert shown == files


@pytest.mark.parametrize("topic", TOPICS)
def test_the_commands_of_a_page_run_from_another_folder(topic, tmp_path, monkeypatch):
    """The page's commands with the path of the configuration before its name; then the run folder is moved."""
    shutil.copytree(DOCS / "examples" / topic, tmp_path / topic)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    monkeypatch.setattr(bench, "best_time", lambda call, seconds=0.5, repeats=5: (call(), 1e-4)[1])
    lines = [line for language, _, text in blocks(topic) if language == "console" for line in text.splitlines()]
    assert {"check", "run"} <= {line.split()[2] for line in lines}
    for line in lines:
        assert line.startswith("$ stellarcr ")
        line = line.replace(" check ", " check --draws 20 ")
        words = [f"../{topic}/{w}" if w.endswith(".toml") else w for w in shlex.split(line)[1:]]
        monkeypatch.setattr("sys.argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 0, line
    (folder,) = (p for p in (elsewhere / "chains").iterdir() if (p / "manifest.json").exists())
    moved = tmp_path / "moved"
    shutil.move(folder, moved)
    run = read_run(moved)
    assert posterior_of(run).names == run.names
    assert (
        build_posterior(load_config(next((tmp_path / topic).glob("*_fit.toml")))).fingerprint
        == run.manifest["fingerprint"]
    )
