#!/usr/bin/env bash
# Installs stellarcr into .venv, fits the reference model to four experiments, draws the pictures.
#
#   bash scripts/quickstart.sh [arguments for "stellarcr run"]
#
# Needs Python 3.11 or newer and, the first time, a network. PYTHON=/path/to/python chooses the interpreter.
# Safe to run again: a finished run is shown again, an interrupted one is continued.
set -euo pipefail

script="$(readlink -f -- "${BASH_SOURCE[0]}")"
root="$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd -P)"
# shellcheck source=scripts/_setup.sh
source "$root/scripts/_setup.sh"
prepare_environment ""

cd -- "$root"
# Where the run goes, and whether it goes on with what is there: the arguments may say otherwise.
output="chains" name="quickstart" overwrite="" before=""
for argument in "$@"; do
    case "$before" in
        --output) output="$argument" ;;
        --name) name="$argument" ;;
    esac
    case "$argument" in
        --output=*) output="${argument#*=}" ;;
        --name=*) name="${argument#*=}" ;;
        --overwrite) overwrite="yes" ;;
    esac
    before="$argument"
done
run="$output/$name"
[ "${run#/}" != "$run" ] || run="$root/$run"
resume=()
[ -n "$overwrite" ] || [ ! -f "$run/manifest.json" ] || resume=(--resume)

code=0
"$venv/bin/stellarcr" run scripts/configs/quickstart.toml ${resume[@]+"${resume[@]}"} "$@" || code=$?
if [ "$code" -ne 0 ]; then
    case "$code" in
        130 | 143) echo "Interrupted. To continue, run this script again." >&2 ;;
        *) echo "The run failed (exit code $code); the reason is above." >&2 ;;
    esac
    exit "$code"
fi
for kind in corner spectra trace; do
    "$venv/bin/stellarcr" plot "$kind" "$run" >/dev/null
done

echo
echo "Pictures"
for picture in "$run/plots"/*; do
    [ ! -f "$picture" ] || echo "  $picture"
done
echo "Numbers"
echo "  $run/summary.json"
echo "  $run/posterior.nc"
