"""Executes what pages show: a page is one session in one folder, from its first block to its last."""

import contextlib
import doctest
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import typer
from documents import ROOT, Block, Command, blocks, commands, with_blocks

from stellarcr import cli
from stellarcr.config import RunConfig, config_from_mapping, load_config
from stellarcr.galaxy import Galaxy
from stellarcr.likelihood.schema import LikelihoodFile

INSTALLATION = {
    r"git clone ": "fetches a copy of this checkout",
    r"cd stellarcr$": "enters it; pages are executed in a copy",
    r"bash scripts/quickstart\.sh": "makes an environment and fits for minutes; tests/house runs the script",
    r"bash scripts/test\.sh": "is what runs this test; tests/house runs the script",
    r"source \.venv/bin/activate": "enters the environment that those scripts make; tests run in one",
}
"""Commands that are not executed here, with the reason. Scripts that they name must exist and be valid."""

LONG = {
    r"(JOBS=\d+ )?bash scripts/run_seeds\.sh ": "several fits in a row; tests/house runs the script",
    r"stellarcr calibrate scripts/configs/": "fits of 200 mock data sets; tests/cli runs a calibration",
    r"stellarcr run scripts/configs/": "fits of the shipped configurations take minutes to an hour",
}
"""Commands whose form is checked (command, options, files) and whose effect the pages find prepared.

``pytest -m slow`` runs the fits among them, cut short by ``--max-time``.
"""

EXECUTED_ELSEWHERE = {
    f"docs/how-to/{topic}.md": "tests/docs_examples/test_extensions.py"
    for topic in ("own_population", "own_prior", "own_data", "own_sampler")
}
"""Pages whose commands another test executes: here their form is checked, and their files are read."""

SAMPLING = 2.0
"""Seconds of sampling that a fit of a page gets here, where the page gives it more."""

SHELL = re.compile(r"[|<>;&*$~`]")


def matching(table: dict[str, str], line: str) -> str | None:
    """Give the pattern of a table that a command line begins with, if there is one."""
    return next((pattern for pattern in table if re.match(pattern, line)), None)


def shown_commands() -> dict[str, str]:
    """Every command line that a page shows, once, with its place."""
    found = {}
    for page in with_blocks():
        for block in blocks(page):
            if block.language in ("console", "bash", "sh") and not block.title:
                found.update({command.line: block.where for command in commands(block)})
    return found


# ---------------------------------------------------------------------- the form of a command


def check_form(line: str, where: str) -> None:
    """Refuse a ``stellarcr`` command line whose command or options do not exist."""
    words = shlex.split(line)
    options = _known(words[1:])
    for word in words:
        flag = word.split("=")[0]
        if re.fullmatch(r"--?[A-Za-z][\w-]*", flag):
            assert flag in options, f"{where}: {line!r} has no option {flag}; it has {sorted(options)}"


def _known(words: list[str]) -> set[str]:
    group, path = cli.app, []
    while True:
        commands = {c.name or c.callback.__name__.lower().replace("_", "-"): c for c in group.registered_commands}
        groups = {g.name or g.typer_instance.info.name: g.typer_instance for g in group.registered_groups}
        word = next((w for w in words[len(path) :] if not w.startswith("-")), None)
        if word in groups:
            group, path = groups[word], [*path, word]
        elif word in commands:
            return {"--help", *_options(commands[word].callback)}
        else:
            callback = group.registered_callback
            inner = _options(callback.callback) if callback and callback.callback else set()
            optional = callback is not None and callback.invoke_without_command is True
            bare = word is None or not re.fullmatch(r"[a-z][a-z-]*", word)
            assert bare or (path and optional), (
                f"no command {' '.join([*path, word])!r}: {sorted({*commands, *groups})}"
            )
            return {"--help", *inner}


def _options(function) -> set[str]:
    """Read the names of a command's options from its real help parser."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    command = typer.main.get_command(app)
    names = [n for p in command.params for n in (*p.opts, *p.secondary_opts)]
    return {n for n in names if n.startswith("-")}


# ---------------------------------------------------------------------- a session


class Session:
    """One page being executed.

    Parameters
    ----------
    folder : Path
        Working folder: a copy of what a user's checkout holds, without an environment.
    prepare : callable
        ``prepare(name)`` puts a small finished run into ``chains/<name>`` if it is not there.
    """

    def __init__(self, folder: Path, prepare) -> None:
        self.folder = folder
        self.prepare = prepare
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.printed = ""
        for name in ("scripts", "likelihoods", "docs", "benchmarks"):
            ignored = shutil.ignore_patterns("__pycache__", "_generate")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        (folder / "datasets").symlink_to(ROOT / "datasets")
        for name in ("README.md", "CHANGELOG.md", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        (folder / "chains").mkdir()

    def execute(self, block: Block) -> None:
        """Execute, write or check a block, whichever its language and title ask for."""
        if block.title == "prints":
            self._compare(block.text, self.printed, block.where)
        elif block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(shortened(block.text))
            if block.language == "toml":
                check_toml(block, path)
            elif block.language == "bash":
                subprocess.run(["bash", "-n", path], check=True)
        elif block.language in ("console", "bash", "sh"):
            for command in commands(block):
                self._command(command, block.where)
        elif block.language == "python":
            self._python(block)
        elif block.language == "toml":
            check_toml(block)
        else:
            assert block.language in ("text", "markdown"), f"{block.where}: say what the block is: text, console, ..."

    def _python(self, block: Block) -> None:
        self._prepare(block.text)
        with contextlib.redirect_stdout(io.StringIO()) as stream:
            # blank lines first, so that a traceback shows the line of the page
            exec(compile("\n" * block.line + shortened(block.text), block.page, "exec"), self.names)
        self.printed = stream.getvalue()

    def _command(self, command: Command, where: str) -> None:
        line = command.line
        if where.partition(":")[0] in EXECUTED_ELSEWHERE:
            check_form(line, where)
            return
        if matching(INSTALLATION, line):
            for script in re.findall(r"scripts/\w+\.sh", line):
                subprocess.run(["bash", "-n", ROOT / script], check=True)
            return
        if matching(LONG, line):
            for path in re.findall(r"[\w/.-]+\.(?:toml|sh|py)", line):
                assert (self.folder / path).is_file(), f"{where}: {line!r}: no file {path}"
            if line.startswith("stellarcr "):
                check_form(line, where)
            return
        if not re.match(r"stellarcr run\b", line):
            self._prepare(line)
        code, out = self._in_process(line) if self._is_plain(line) else self._shell(line)
        fails = line.endswith("|| true") or "stellarcr:" in command.expected
        assert fails or code == 0, f"{where}: {line!r} ended with code {code}:\n{out}"
        if command.expected.strip():
            self._compare(command.expected, out, f"{where}: {line}")

    @staticmethod
    def _is_plain(line: str) -> bool:
        return line.startswith("stellarcr ") and not SHELL.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", line))

    def _in_process(self, line: str) -> tuple[int, str]:
        stream, before, code = io.StringIO(), sys.argv, 0
        sys.argv = shlex.split(line)
        try:
            with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
                cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        finally:
            sys.argv = before
        return code, stream.getvalue()

    def _shell(self, line: str) -> tuple[int, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = {**os.environ, "PATH": path, "COLUMNS": "120", "PYTHONPATH": str(ROOT)}
        result = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line], env=environment, capture_output=True, text=True, timeout=120
        )
        return result.returncode, result.stdout + result.stderr

    def _prepare(self, text: str) -> None:
        named = re.findall(r"chains/([A-Za-z0-9_]\w*(?:\.(?:sampled|collapsed))?)(\*?)", text)
        names = [f"{name}{seed}" for name, seeds in named for seed in (("1", "2") if seeds else ("",))]
        for name in dict.fromkeys(names):
            if not (self.folder / "chains" / name).exists():
                self.prepare(name, self.folder / "chains" / name)

    @staticmethod
    def _compare(expected: str, got: str, where: str) -> None:
        options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        same = doctest.OutputChecker().check_output(expected, got, options)
        assert same, f"{where}\nthe page shows:\n{expected}\nit printed:\n{got}"


def shortened(text: str) -> str:
    """Give at most `SAMPLING` seconds to fits whose page limits their time."""
    limit = re.compile(r"(?P<key>\bmax_time\"?\s*[=:]\s*)(?P<seconds>[\d.]+)")
    return limit.sub(lambda match: match["key"] + str(min(float(match["seconds"]), SAMPLING)), text)


def check_toml(block: Block, path: Path | None = None) -> None:
    """Refuse TOML that is no run configuration, no likelihood file, no galaxy preset and no piece of one."""
    content = tomllib.loads(block.text)
    if path is not None and "populations" in content:
        load_config(path)
    elif {"populations", "likelihoods"} <= set(content):
        config_from_mapping({"name": "page", **content}, block.where)
    elif {"experiment", "species"} <= set(content):
        LikelihoodFile.model_validate(content)
    else:
        known = {*RunConfig.model_fields, *LikelihoodFile.model_fields, *Galaxy.__dataclass_fields__}
        assert set(content) <= known, f"{block.where}: unknown keys {set(content) - known}"
