"""The site is built without warnings and without a network; it is complete, and its links lead somewhere."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from _generate.command_line import commands
from _generate.configuration import Key
from documents import DOCS, ROOT
from pydantic import BaseModel

from stellarcr.config import RunConfig
from stellarcr.data import list_spectra
from stellarcr.galaxy import Galaxy
from stellarcr.infer.priors import PRIOR_KINDS
from stellarcr.infer.samplers import get_sampler, sampler_names
from stellarcr.likelihood.schema import LikelihoodFile, likelihood_files
from stellarcr.populations import POPULATION_KINDS


class Page(HTMLParser):
    """What a page of the site holds: text, code, anchors, links, things that it loads."""

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.loaded, self.code = set(), [], [], set()
        self.text, self._inside = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        self.loaded += [given[k] for k in ("src", "data") if given.get(k)]
        if tag == "link" and given.get("rel") not in ("canonical", "prev", "next"):
            self.loaded.append(given["href"])
        if tag in ("code", "script", "style"):
            self._inside.append([tag, ""])

    def handle_data(self, data):
        if self._inside:
            self._inside[-1][1] += data
        self.text.append(data)

    def handle_endtag(self, tag):
        if self._inside and self._inside[-1][0] == tag:
            kind, text = self._inside.pop()
            if kind == "code":
                self.code.add(text)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site; give its pages by their place."""
    folder = tmp_path_factory.mktemp("site")
    # a proxy that does not exist: whoever asks the network fails
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert "WARNING" not in output, output
    return {str(path.relative_to(folder)): Page(path.read_text()) for path in folder.rglob("*.html")} | {"": folder}


def html(site):
    return {name: page for name, page in site.items() if name}


def test_links_lead_somewhere(site):
    broken = []
    for name, page in html(site).items():
        for link in page.links:
            if re.match(r"[a-z]+:", link) or name == "404.html":
                continue
            path, _, anchor = unquote(link).partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not (site[""] / target).exists() or (anchor and target in site and anchor not in site[target].anchors):
                broken.append(f"{name}: {link}")
    assert not broken


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = [f"{name}: {x}" for name, page in html(site).items() for x in page.loaded if re.match(r"https?:|//", x)]
    assert not loaded


def test_equations_are_drawn_without_scripts(site):
    for name in ("physics/propagation.html", "reference/parameters.html"):
        text = (site[""] / name).read_text()
        assert text.count("<math") > 10
    for name in html(site):
        text = re.sub(r"<(pre|code|script)\b.*?</\1>", "", (site[""] / name).read_text(), flags=re.S)
        assert "arithmatex" not in text, name
        assert not re.search(r"\\\(|\\\[|\\begin", text), name


def test_every_command_is_there(site, run_stellarcr):
    shown = site["reference/command_line.html"]
    text = " ".join(" ".join(shown.text).split())
    names = [command.name for command in commands()]
    assert len(names) >= 10
    for name in names:
        help_text = run_stellarcr(*name.split()[1:], "--help")
        assert name in text
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_text)) - {"--help"}
        missing = {option for option in options if not re.search(rf"{option}\b", text)}
        assert not missing, f"{name}: {missing}"


def test_every_command_of_the_help_is_found(run_stellarcr):
    def listed(*words):
        _, _, part = run_stellarcr(*words, "--help").partition("Commands:\n")
        return re.findall(r"^  ([a-z][\w-]*)", part, re.M)

    found = {" ".join(["stellarcr", *words]) for words in walk(listed)}
    assert found == {command.name for command in commands()}


def walk(listed, words=()):
    inner = listed(*words)
    for name in inner:
        yield from walk(listed, (*words, name))
    if not inner:
        yield words


@pytest.fixture
def run_stellarcr(monkeypatch, capsys):
    """Return a function that gives what the command line prints."""
    from stellarcr import cli

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["stellarcr", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert not stop.value.code
        return capsys.readouterr().out

    return run


def model_keys(model):
    """Names of a pydantic model's fields, those of models inside it included."""
    names = set()
    for name, field in model.model_fields.items():
        names |= set() if field.exclude else {name}
        for inner in models_of(field.annotation):
            names |= model_keys(inner)
    return names


def models_of(annotation):
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for inner in getattr(annotation, "__args__", ()) for found in models_of(inner)]


def test_every_configuration_key_is_there(site):
    wanted = model_keys(RunConfig) | model_keys(LikelihoodFile) | {f.name for f in fields(Galaxy)} - {"network"}
    for name in sampler_names():
        wanted |= {f.name for f in fields(get_sampler(name).settings_type)}
    wanted |= {"value", "prior", "linked", "label", "unit", "source", "preset", "file", *PRIOR_KINDS}
    assert wanted - site["reference/configuration.html"].code == set()


@pytest.mark.parametrize("text", ["", "  "])
def test_a_key_without_description_is_refused(text):
    with pytest.raises(LookupError, match=r"'high' of \[grid\]"):
        Key("grid", "high", "number", "1", text)


def test_every_population_is_there(site):
    code = site["reference/parameters.html"].code
    for kind in POPULATION_KINDS:
        assert kind in code
    assert {"snr.gamma2", "msc.R_max", "ia.distance", "galaxy.D0"} <= code


def test_every_table_is_there(site):
    page = site["reference/data.html"]
    assert {entry.name for entry in list_spectra()} - page.code == set()
    assert set(likelihood_files()) - page.code == set()


def test_every_decision_is_there(site):
    pages = {f"decisions/{path.stem}.html" for path in (DOCS / "decisions").glob("[0-9]*.md")}
    assert pages <= set(site)
    index = site["decisions/index.html"]
    assert {os.path.basename(page) for page in pages} <= {os.path.basename(link) for link in index.links}
