"""Every command and every piece of code that the documentation shows is executed, or its form is checked.

A page is one session in a copy of a checkout. What is not executed is listed with the reason in `runner.py`. Pages on
how to do something are in `test_how_to.py`.
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documents import ROOT, inline_code, pages, with_blocks
from runner import EXECUTED_ELSEWHERE, INSTALLATION, LONG, check_form, shown_commands


@pytest.mark.parametrize("page", [page for page in with_blocks() if not page.startswith("docs/how-to/")])
def test_blocks_of_a_page(page, execute):
    execute(page)


@pytest.mark.parametrize("page", sorted(pages()))
def test_code_in_the_text_of_a_page(page):
    for line, text in inline_code(page):
        where = f"{page}:{line}"
        if re.match(r"stellarcr [a-z]", text):
            check_form(re.sub(r"[<>|]", "", text), where)
        elif re.fullmatch(r"stellarcr(\.\w+)+(\(.*\))?", text):
            assert resolves(text.split("(")[0]), f"{where}: {text} does not exist"
        elif re.fullmatch(r"(stellarcr|tests|scripts|likelihoods|datasets|benchmarks|docs)/[\w./-]*", text):
            assert (ROOT / text).exists(), f"{where}: there is no {text}"


def resolves(name):
    """Whether a dotted name is a module or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(thing, part) and part not in getattr(thing, "__dataclass_fields__", {}):
                return False
            thing = getattr(thing, part, None)
        return True
    return False


@pytest.mark.parametrize("name", ["stellarcr.no_such_name", "stellarcr.data.no_such_name", "no_such_package"])
def test_wrong_names_do_not_resolve(name):
    assert not resolves(name)


@pytest.mark.parametrize("line", ["stellarcr plott corner", "stellarcr run FILE --resum", "stellarcr data lst"])
def test_wrong_commands_are_refused(line):
    with pytest.raises(AssertionError):
        check_form(line, "here")


@pytest.mark.parametrize("pattern", [*INSTALLATION, *LONG])
def test_every_exception_is_needed(pattern):
    assert any(re.match(pattern, line) for line in shown_commands())


@pytest.mark.parametrize("page", EXECUTED_ELSEWHERE)
def test_pages_that_others_execute(page):
    topics = (ROOT / EXECUTED_ELSEWHERE[page]).read_text()
    assert page.removeprefix("docs/how-to/").removesuffix(".md") in topics


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in shown_commands() if re.match(r"stellarcr run scripts/", line)])
def test_long_fits(line, tmp_path):
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    first = line.replace(" --resume", "")
    for seconds, command in ((10, first), (15, line)) if "--resume" in line else ((10, line),):
        short = f"{command} --max-time {seconds} --output {tmp_path}"
        result = subprocess.run(
            ["bash", "-c", short], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        assert result.returncode == 0, result.stderr
    runs = list(tmp_path.iterdir())
    assert len(runs) == (1 + line.partition("--each")[2].count(",") if "--each" in line else 1)
    assert all((run / "summary.json").exists() for run in runs)
