"""scripts/quickstart.sh and test.sh: what they say where something is missing, and that they can be run twice.

The scripts run on a copy of the checkout's skeleton whose path has spaces. Where an environment has to be made, a
stand-in for Python makes one in no time and writes down what it was asked to do; its answers to -c are Python's own.
"""

import os
import shutil
import subprocess
import sys
import time
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


@pytest.mark.parametrize("name", ["quickstart.sh", "test.sh", "_setup.sh", "run_seeds.sh"])
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


# ---------------------------------------------------------------------- run_seeds.sh and compare_models.py

# Stands for stellarcr: says what it was asked, makes the run's manifest, and fails for seed 13.
RUN_STAND_IN = """#!{bash}
echo "$*" >>"{calls}"
while [ $# -gt 0 ]; do
    case "$1" in --output) output="$2" ;; --name) name="$2" ;; --seed) seed="$2" ;; esac
    shift
done
trap 'echo "stopped $seed" >>"{calls}"; exit 130' TERM
echo "began $seed" >>"{calls}"
for _ in $(seq "${{TENTHS:-0}}"); do sleep 0.1; done
echo "ended $seed" >>"{calls}"
mkdir -p "$output/$name"; touch "$output/$name/manifest.json"
echo "results of $seed"
[ "$seed" != 13 ] || {{ echo "no luck" >&2; exit 2; }}
"""


@pytest.fixture
def run_seeds(tmp_path):
    """Return a function that runs run_seeds.sh with a stand-in for stellarcr: its result, and what was called."""
    program, calls = tmp_path / "stand-in", tmp_path / "calls"
    program.write_text(RUN_STAND_IN.format(bash=BASH, calls=calls))
    program.chmod(0o755)
    (tmp_path / "my model.toml").write_text('# a comment\nname = "model"  # the name\n[populations.snr]\nname = "no"\n')

    def run(*arguments, **settings):
        calls.write_text("")
        outside = {k: v for k, v in os.environ.items() if k not in ("SLURM_ARRAY_TASK_ID", "JOBS", "OUTPUT")}
        environment = {**outside, "STELLARCR": str(program), **settings}
        result = subprocess.run(
            [BASH, ROOT / "scripts/run_seeds.sh", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return result, calls.read_text().splitlines()

    return run


def asked(calls):
    """The command lines among the calls."""
    return [call for call in calls if call.startswith("run ")]


def test_every_seed_is_a_run_of_its_own_and_a_second_time_goes_on(run_seeds):
    result, calls = run_seeds("my model.toml", "1", "22", "--", "--quiet")
    assert result.returncode == 0, result.stderr
    line = "run my model.toml --output chains --name model_seed{0} --seed {0}"
    assert asked(calls) == [f"{line.format(seed)} --quiet" for seed in (1, 22)]
    assert "stellarcr compare chains/model_seed*" in result.stdout
    _, calls = run_seeds("my model.toml", "22", "3")
    assert asked(calls) == [f"{line.format(22)} --resume", line.format(3)]


def test_a_configuration_without_a_name_is_named_by_its_file(run_seeds, tmp_path):
    (tmp_path / "other.toml").write_text("[populations.snr]\n")
    result, calls = run_seeds("other.toml", "0", OUTPUT="else where")
    assert result.returncode == 0, result.stderr
    assert asked(calls) == ["run other.toml --output else where --name other_seed0 --seed 0"]
    assert (tmp_path / "else where/other_seed0/manifest.json").exists()


def test_jobs_run_side_by_side_but_no_more_than_asked(run_seeds):
    result, calls = run_seeds("my model.toml", "1", "2", "3", "4", JOBS="2", TENTHS="5")
    assert result.returncode == 0, result.stderr
    active = [0]
    for call in calls:
        active.append(active[-1] + {"began": 1, "ended": -1}.get(call.split()[0], 0))
    assert max(active) == 2
    assert len([call for call in calls if call.startswith("ended")]) == 4
    assert "[seed 3] results of 3" in result.stdout.splitlines()


def test_one_job_at_a_time_by_default(run_seeds):
    _, calls = run_seeds("my model.toml", "1", "2", TENTHS="2")
    assert [c for c in calls if not c.startswith("run")] == ["began 1", "ended 1", "began 2", "ended 2"]


def test_a_seed_that_fails_does_not_stop_the_others_and_is_told(run_seeds):
    result, calls = run_seeds("my model.toml", "13", "14")
    assert result.returncode == 2
    assert "not all seeds finished (exit code 2)" in result.stderr
    assert "ended 14" in calls


def test_an_array_task_runs_its_seed_only(run_seeds):
    result, calls = run_seeds("my model.toml", SLURM_ARRAY_TASK_ID="7")
    assert result.returncode == 0, result.stderr
    assert [call.rsplit(" ", 1)[1] for call in asked(calls)] == ["7"]
    _, calls = run_seeds("my model.toml", "6", "7", "8", SLURM_ARRAY_TASK_ID="8")
    assert [call.rsplit(" ", 1)[1] for call in asked(calls)] == ["8"]
    result, calls = run_seeds("my model.toml", "1", "2", SLURM_ARRAY_TASK_ID="3")
    assert (result.returncode, calls) == (2, [])
    assert "the array task 3 is none of the seeds 1 2" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "settings", "says"),
    [
        ([], {}, "no configuration is given"),
        (["no.toml", "1"], {}, "there is no file no.toml"),
        (["my model.toml"], {}, "no seed is given"),
        (["my model.toml", "one"], {}, "the seed 'one' is not a whole number"),
        (["my model.toml", "-1"], {}, "the seed '-1' is not a whole number"),
        (["my model.toml", "1", "--quiet"], {}, "go behind --"),
        (["my model.toml", "01"], {}, "begins with a zero"),
        (["my model.toml", "1", "2", "1"], {}, "the seed 1 is given twice"),
        (["my model.toml", "1", "--", "--overwrite"], {}, "never overwrites"),
        (["my model.toml", "1", "--", "--seed=3"], {}, "--seed=3 is set by this script"),
        (["my model.toml", "1", "--", "--output", "x"], {}, "OUTPUT=folder"),
        (["my model.toml", "1"], {"JOBS": "many"}, "JOBS=many is not a number"),
        (["my model.toml", "1"], {"STELLARCR": "/no/such/program"}, "/no/such/program was not found"),
    ],
)
def test_mistakes_are_named_before_anything_runs(run_seeds, tmp_path, arguments, settings, says):
    result, calls = run_seeds(*arguments, **settings)
    assert result.returncode == 2
    assert says in result.stderr
    assert calls == []
    assert not (tmp_path / "chains").exists()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_reaches_every_run(tmp_path, run_seeds, jobs):
    run_seeds("my model.toml", "1")  # makes the stand-in's files
    calls = tmp_path / "calls"
    calls.write_text("")
    environment = {**os.environ, "STELLARCR": str(tmp_path / "stand-in"), "JOBS": jobs, "TENTHS": "300"}
    process = subprocess.Popen(
        [BASH, ROOT / "scripts/run_seeds.sh", "my model.toml", "2", "3"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    started = [f"began {seed}" for seed in (2, 3)[: int(jobs)]]
    deadline = time.monotonic() + 30
    while not set(started) <= set(calls.read_text().splitlines()) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "To continue, run the same command again" in errors
    stopped = {line for line in calls.read_text().splitlines() if line.startswith("stopped")}
    assert stopped == {call.replace("began", "stopped") for call in started}


def test_compare_models_samples_what_is_missing_and_compares(write_config, tmp_path):
    sampler = 'name = "dynesty"\nwalks = 5\nmap = { starts = 2, generations = 5, population = 8 }'
    free = write_config('name = "emcee"', sampler, name="free.toml")
    fixed = tmp_path / "fixed.toml"
    prior = 'gamma2 = { prior = "uniform", low = -2.8, high = -2.1, value = -2.45 }'
    content = free.read_text()
    assert prior in content
    fixed.write_text(content.replace(prior, "gamma2 = -2.45").replace('name = "small"', 'name = "fixed"'))

    def compare_models(*arguments):
        command = [sys.executable, ROOT / "scripts/compare_models.py", free, fixed, *arguments, "--quiet"]
        options = ["--nlive", "30", "--dlogz", "100", "--output", "runs"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            [*command, *options], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )

    first = compare_models("--seeds", "1")
    assert first.returncode == 0, first.stderr
    runs = {name: tmp_path / "runs" / name / "posterior.nc" for name in ("small_seed1", "fixed_seed1")}
    times = {name: path.stat().st_mtime_ns for name, path in runs.items()}
    again = compare_models("--seeds", "1")
    assert again.returncode == 0, again.stderr
    assert {name: path.stat().st_mtime_ns for name, path in runs.items()} == times
    assert "Bayes factors against" in again.stdout
    table = (tmp_path / "runs/comparison.csv").read_text()
    assert "evidence,small,,log_evidence," in table
    assert "evidence,fixed,,log_evidence," in table
    assert r"\begin{tabular}" in (tmp_path / "runs/comparison.tex").read_text()


def test_compare_models_ends_with_a_message(tmp_path):
    """From any folder, and without a traceback."""
    command = [sys.executable, ROOT / "scripts" / "compare_models.py", "nowhere.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("compare_models: no such file: nowhere.toml")
    assert "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())
