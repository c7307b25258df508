#!/usr/bin/env bash
# Installs stellarcr with its test tools into .venv, then checks format, lint, types, the order of imports, and runs the tests.
#
#   bash scripts/test.sh [arguments for pytest]        e.g.  -k corner    or    -m slow
#
# All checks run even where one fails; the exit code is 0 only if all pass. pytest comes last.
set -euo pipefail

script="$(readlink -f -- "${BASH_SOURCE[0]}")"
root="$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd -P)"
# shellcheck source=scripts/_setup.sh
source "$root/scripts/_setup.sh"
prepare_environment test

cd -- "$root"
# One thread per process: the test processes share the cores.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 MPLBACKEND=Agg

failed=""
check() { # check NAME COMMAND...
    local name="$1"
    shift
    echo "== $name"
    "$@" || failed="$failed${failed:+, }$name"
}
check "ruff format" "$venv/bin/python" -m ruff format --check .
check "ruff check" "$venv/bin/python" -m ruff check .
check "mypy" "$venv/bin/python" -m mypy
check "import order" "$venv/bin/lint-imports"
[ -z "$failed" ] || echo "== FAILED before the tests: $failed (the exit code will say so)"

echo "== pytest"
workers="$("$venv/bin/python" -c 'import os; print(min(8, os.cpu_count() or 1))')"
code=0
# A whole file stays on one worker, because modules share costly fixtures; what follows overrides these.
"$venv/bin/python" -m pytest -m "not slow" -n "$workers" --dist loadfile "$@" || code=$?
[ -z "$failed" ] || [ "$code" -ne 0 ] || code=1
exit "$code"
