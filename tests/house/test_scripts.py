"""scripts/quickstart.sh and test.sh: what they say where something is missing, and that they can be run twice.

The scripts run on a copy of the checkout's skeleton whose path has spaces. Where an environment has to be made, a
stand-in for Python makes one in no time and writes down what it was asked to do; its answers to -c are Python's own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BASH = shutil.which("bash")

# Answers for Python in an environment (-m pip, ruff, mypy, pytest) and for the Python that makes one (-m venv).
STAND_IN = """#!{bash}
[ "$1" = -c ] || echo "$(basename "$0") $*" >>"$CALLS"
case "$1 $2" in
    "-m venv")
        mkdir -p "$3/bin"
        for name in python stellarcr lint-imports; do cp "$0" "$3/bin/$name"; done ;;
    "-m pip") echo "$PIP_SAYS"; exit "${{PIP_CODE:-0}}" ;;
    "-m ruff") exit "${{RUFF_CODE:-0}}" ;;
    "-m pytest") echo "== 3 passed in 0.01s =="; exit "${{PYTEST_CODE:-0}}" ;;
    "run "*)
        run=chains/quickstart
        [ "$3" != --name ] || run="chains/$4"
        mkdir -p "$run/plots"; touch "$run/manifest.json"; exit "${{RUN_CODE:-0}}" ;;
    "plot "*) touch "$3/plots/$2.pdf" ;;
    -c*) exec "{python}" "$@" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    """Return the root of a copy that holds the scripts and pyproject.toml only."""
    root = tmp_path / "a folder with spaces" / "stellarcr"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copy(ROOT / "pyproject.toml", root)
    python = tmp_path / "python"
    python.write_text(STAND_IN.format(bash=BASH, python=sys.executable))
    python.chmod(0o755)
    return root


def run_script(script, *arguments, cwd=None, **settings):
    """Run a script with the stand-in as PYTHON; return its result and the calls that the stand-in saw."""
    top = next(parent for parent in Path(script).resolve().parents if (parent / "python").exists())
    calls = top / "calls"
    calls.write_text("")
    environment = {**os.environ, "PYTHON": str(top / "python"), "CALLS": str(calls), **settings}
    result = subprocess.run(
        [BASH, str(script), *arguments], cwd=cwd or top, env=environment, capture_output=True, text=True, timeout=60
    )
    return result, calls.read_text().splitlines()


@pytest.mark.parametrize("name", ["quickstart.sh", "test.sh", "_setup.sh"])
def test_scripts_are_valid_bash(name):
    result = subprocess.run([BASH, "-n", ROOT / "scripts" / name], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_quickstart_installs_runs_plots_and_says_where(checkout):
    result, calls = run_script(checkout / "scripts/quickstart.sh")
    assert result.returncode == 0, result.stderr
    assert [call.split()[:3] for call in calls] == [
        ["python", "-m", "venv"],
        ["python", "-m", "pip"],
        ["stellarcr", "run", "scripts/configs/quickstart.toml"],
        ["stellarcr", "plot", "corner"],
        ["stellarcr", "plot", "spectra"],
        ["stellarcr", "plot", "trace"],
    ]
    assert "--resume" not in calls[2]
    assert str(checkout / "chains/quickstart/plots/corner.pdf") in result.stdout
    assert result.stdout.rstrip().endswith(str(checkout / "chains/quickstart/posterior.nc"))


def test_quickstart_twice_installs_once_and_resumes(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    result, calls = run_script(checkout / "scripts/quickstart.sh", "--quiet")
    assert result.returncode == 0, result.stderr
    assert calls[0] == "stellarcr run scripts/configs/quickstart.toml --resume --quiet"


def test_quickstart_starts_anew_or_elsewhere_when_told_to(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    _, calls = run_script(checkout / "scripts/quickstart.sh", "--overwrite")
    assert calls[0] == "stellarcr run scripts/configs/quickstart.toml --overwrite"
    result, calls = run_script(checkout / "scripts/quickstart.sh", "--name", "second try")
    assert calls[0] == "stellarcr run scripts/configs/quickstart.toml --name second try"
    assert str(checkout / "chains/second try/plots/trace.pdf") in result.stdout


def test_quickstart_through_links_from_anywhere(checkout, tmp_path):
    (tmp_path / "link").symlink_to(checkout, target_is_directory=True)
    (tmp_path / "start").symlink_to(checkout / "scripts" / "quickstart.sh")
    first, _ = run_script(tmp_path / "link/scripts/quickstart.sh", cwd="/")
    second, calls = run_script(tmp_path / "start", cwd="/")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert not [call for call in calls if "-m" in call.split()]
    assert (checkout / "chains/quickstart/manifest.json").exists()


def test_changed_pyproject_installs_again(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    _, calls = run_script(checkout / "scripts/quickstart.sh")
    assert calls[0].startswith("python -m pip install")


def test_moved_checkout_gets_a_new_environment(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    moved = checkout.rename(checkout.with_name("elsewhere"))
    result, calls = run_script(moved / "scripts/quickstart.sh")
    assert "was moved" in result.stdout
    assert calls[0].startswith("python -m venv")


def test_interrupted_installation_is_made_anew(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    (checkout / ".venv/.stellarcr-setup").write_text("incomplete\n")
    result, calls = run_script(checkout / "scripts/quickstart.sh")
    assert result.returncode == 0
    assert "interrupted" in result.stdout
    assert calls[0].startswith("python -m venv")


def test_foreign_environment_is_never_deleted(checkout):
    (checkout / ".venv").mkdir()
    (checkout / ".venv/precious").touch()
    result, calls = run_script(checkout / "scripts/quickstart.sh")
    assert result.returncode == 2
    assert "Move it away" in result.stderr
    assert (checkout / ".venv/precious").exists()
    assert not calls


def test_no_network_is_said_in_one_line_and_leaves_nothing(checkout):
    says = "WARNING: Retrying after connection broken by 'NewConnectionError(...): Name or service not known'"
    result, _ = run_script(checkout / "scripts/quickstart.sh", PIP_CODE="1", PIP_SAYS=says)
    assert result.returncode == 2
    assert "the package index cannot be reached: no network" in result.stderr
    assert str(checkout / "build/install.log") in result.stderr
    assert not (checkout / ".venv").exists()
    again, _ = run_script(checkout / "scripts/quickstart.sh")
    assert again.returncode == 0


def test_failed_update_keeps_the_environment(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n")
    failed, _ = run_script(checkout / "scripts/quickstart.sh", PIP_CODE="1", PIP_SAYS="ERROR: no such version")
    assert failed.returncode == 2
    assert "pip says: ERROR: no such version" in failed.stderr
    again, calls = run_script(checkout / "scripts/quickstart.sh")
    assert again.returncode == 0
    assert [call.split()[2] for call in calls[:1]] == ["pip"]


@pytest.mark.parametrize(("code", "says"), [("130", "To continue, run this script again"), ("2", "exit code 2")])
def test_quickstart_hands_on_the_exit_code(checkout, code, says):
    result, calls = run_script(checkout / "scripts/quickstart.sh", RUN_CODE=code)
    assert result.returncode == int(code)
    assert says in result.stderr
    assert not [call for call in calls if call.startswith("stellarcr plot")]


def test_missing_interpreter_is_named(checkout):
    result, _ = run_script(checkout / "scripts/quickstart.sh", PYTHON="/no/such/python")
    assert result.returncode == 2
    assert "PYTHON=/no/such/python is not a program" in result.stderr


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ('case "$2" in *version*) echo 3.9.2; exit 1;; esac', "(3.9.2)"),
        ('case "$2" in *version*) echo 3.11.2;; *) exit 1;; esac', "sudo apt install python3-venv"),
        ("exit 127", "(does not start)"),
    ],
    ids=["too old", "no venv module", "broken"],
)
def test_unsuitable_interpreter_is_explained(checkout, tmp_path, answer, says):
    (tmp_path / "bad").write_text(f"#!{BASH}\n{answer}\n")
    (tmp_path / "bad").chmod(0o755)
    result, _ = run_script(checkout / "scripts/quickstart.sh", PYTHON=str(tmp_path / "bad"))
    assert result.returncode == 2
    assert says in result.stderr
    assert "PYTHON=/path/to/python bash" in result.stderr
    assert not (checkout / ".venv").exists()


def test_the_first_suitable_python_on_the_path_is_used(checkout, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("readlink", "dirname", "basename", "mkdir", "cat", "sed", "rm", "cp", "touch", "bash"):
        (folder / tool).symlink_to(shutil.which(tool))
    (folder / "python3.13").write_text(f"#!{BASH}\nexit 127\n")
    shutil.copy(tmp_path / "python", folder / "python3")
    (folder / "python3.13").chmod(0o755)
    result, _ = run_script(checkout / "scripts/quickstart.sh", PYTHON="", PATH=str(folder))
    assert result.returncode == 0, result.stderr
    assert f"Making .venv with {folder / 'python3'}." in result.stdout


def test_checks_all_run_and_pytest_comes_last(checkout):
    result, calls = run_script(checkout / "scripts/test.sh", "-k", "corner")
    assert result.returncode == 0, result.stderr
    assert "[test]" in calls[1]
    assert [call.split()[-1] for call in calls[2:4]] == [".", "."]
    assert calls[4:6] == ["python -m mypy", "lint-imports "]
    assert calls[6].startswith("python -m pytest -m not slow")
    assert calls[6].endswith("-k corner")
    assert result.stdout.endswith("== 3 passed in 0.01s ==\n")


@pytest.mark.parametrize(("setting", "code"), [("RUFF_CODE", 1), ("PYTEST_CODE", 5)])
def test_any_failure_fails_the_tests_after_all_have_run(checkout, setting, code):
    result, calls = run_script(checkout / "scripts/test.sh", **{setting: str(code)})
    assert result.returncode == code
    assert len(calls) == 7
    assert result.stdout.endswith("== 3 passed in 0.01s ==\n")


def test_tests_after_quickstart_add_their_tools_and_quickstart_keeps_them(checkout):
    run_script(checkout / "scripts/quickstart.sh")
    _, calls = run_script(checkout / "scripts/test.sh")
    assert calls[0].startswith("python -m pip install")
    _, calls = run_script(checkout / "scripts/quickstart.sh")
    assert calls[0].startswith("stellarcr run")
