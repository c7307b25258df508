"""Version, citation, changelog and build configuration say the same thing."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import stellarcr

ROOT = Path(__file__).parents[2]


def test_installed_version_matches():
    assert importlib.metadata.version("stellarcr") == stellarcr.__version__


def test_citation_names_this_version_and_licence():
    citation = (ROOT / "CITATION.cff").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert re.search(rf"^version: {re.escape(stellarcr.__version__)}$", citation, re.MULTILINE)
    assert re.search(rf"^license: {re.escape(project['license'])}$", citation, re.MULTILINE)


def test_changelog_has_an_unreleased_section():
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text()


def test_command_is_declared():
    (command,) = importlib.metadata.distribution("stellarcr").entry_points.select(group="console_scripts")
    assert command.name == "stellarcr"
    assert callable(command.load())


def test_every_decision_page_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    missing = [page.name for page in folder.glob("[0-9]*.md") if page.name not in index]
    assert not missing
