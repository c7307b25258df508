#!/usr/bin/env bash
# Runs one configuration with several seeds, so that "stellarcr compare" can tell how far the evidence scatters.
#
#   bash scripts/run_seeds.sh CONFIG SEED... [-- OPTIONS of "stellarcr run"]
#
#   bash scripts/run_seeds.sh scripts/configs/reference.toml 1 2 3
#   JOBS=2 bash scripts/run_seeds.sh scripts/configs/reference.toml 1 2 3 -- --quiet
#   sbatch --array=1-3 scripts/slurm/seeds.sbatch scripts/configs/reference.toml
#
# Each seed is the run chains/<name>_seed<SEED>. A run that exists is continued, a finished one is left as it is; nothing
# is overwritten. JOBS runs at a time (default 1); OUTPUT is the folder of the runs (default chains). In a SLURM array
# each task runs the seed SLURM_ARRAY_TASK_ID, which must be one of the SEEDs if any are given.
# STELLARCR names the program; by default it is that of .venv in the checkout, else the one on the PATH. LAUNCH is a whole
# command in its place, such as LAUNCH="mpiexec -n 3 python -m mpi4py.futures -m stellarcr.cli"; its words have no spaces.
# Exit code: 0 if all seeds finished, 130 if interrupted, otherwise that of the last seed that failed.
set -euo pipefail

stop() { # stop LINE...: says what is wrong and ends
    printf 'run_seeds: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 2
}

script="$(readlink -f -- "${BASH_SOURCE[0]}")"
root="$(CDPATH='' cd -- "$(dirname -- "$script")/.." && pwd -P)"

# ---- the arguments
[ $# -ge 1 ] || stop "no configuration is given." "Usage: bash scripts/run_seeds.sh CONFIG SEED... [-- OPTIONS]"
config="$1"
shift
[ -f "$config" ] || stop "there is no file $config." "Give a run configuration, such as scripts/configs/reference.toml."
seeds=()
while [ $# -gt 0 ] && [ "$1" != "--" ]; do
    case "$1" in
        "" | *[!0-9]*) stop "the seed '$1' is not a whole number." \
            "Options of stellarcr run go behind --: run_seeds.sh CONFIG 1 2 3 -- --quiet" ;;
    esac
    [ "$1" = 0 ] || [ "$1" = "${1#0}" ] || stop "the seed '$1' begins with a zero." "Write it without."
    case " ${seeds[*]-} " in *" $1 "*) stop "the seed $1 is given twice." "The same seed gives the same run." ;; esac
    seeds+=("$1")
    shift
done
[ $# -eq 0 ] || shift
for option in "$@"; do
    case "${option%%=*}" in
        --name | --seed | --resume) stop "$option is set by this script." "Leave it out." ;;
        --output) stop "--output is set by this script." "Choose the folder with OUTPUT=folder bash $0 ..." ;;
        --overwrite) stop "this script never overwrites a run." "Remove the run folder first, if you must." ;;
    esac
done
if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    task="$SLURM_ARRAY_TASK_ID"
    case " ${seeds[*]-$task} " in
        *" $task "*) seeds=("$task") ;;
        *) stop "the array task $task is none of the seeds ${seeds[*]}." "Let the array's numbers be the seeds." ;;
    esac
fi
[ ${#seeds[@]} -gt 0 ] || stop "no seed is given." "For example: bash scripts/run_seeds.sh $config 1 2 3"
jobs="${JOBS:-1}" output="${OUTPUT:-chains}"
case "$jobs" in "" | 0 | *[!0-9]*) stop "JOBS=$jobs is not a number of runs." "Write JOBS=2 for two at a time." ;; esac

# ---- the program and the name of the runs
read -ra launch <<<"${LAUNCH:-}"
program="${launch[0]:-${STELLARCR:-$root/.venv/bin/stellarcr}}"
[ -n "${LAUNCH:-}${STELLARCR:-}" ] || [ -x "$program" ] || program="stellarcr"
[ ${#launch[@]} -gt 0 ] || launch=("$program")
command -v "$program" >/dev/null 2>&1 || stop "the program $program was not found." \
    "Install it (bash scripts/quickstart.sh does), activate its environment, or name it: STELLARCR=/path/to/stellarcr"
# The first "name" before any section, as stellarcr reads it; else the file's name.
name="$(sed -n -e '/^[[:space:]]*\[/q' -e "s/^[[:space:]]*name[[:space:]]*=[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p" "$config" |
    head -n 1)"
[ -n "$name" ] || name="$(basename -- "$config" .toml)"

# ---- one seed after the other, JOBS at a time
running=() code=0

run_seed() { # run_seed SEED OPTION...: starts it in the background; sets $!
    local run="${name}_seed$1" seed="$1" resume=()
    shift
    [ ! -f "$output/$run/manifest.json" ] || resume=(--resume)
    local command=("${launch[@]}" run "$config" --output "$output" --name "$run" --seed "$seed"
        ${resume[@]+"${resume[@]}"} "$@")
    echo "seed $seed: $output/$run${resume[0]:+ (goes on)}"
    if [ "$jobs" -gt 1 ]; then
        "${command[@]}" > >(sed "s/^/[seed $seed] /") 2> >(sed "s/^/[seed $seed] /" >&2) &
    else
        "${command[@]}" &
    fi
}

collect() { # waits for a run and keeps its exit code if it failed
    local result=0
    wait "$1" || result=$?
    [ "$result" -eq 0 ] || code="$result"
}

collect_ended() { # takes the runs that have ended from the list
    local left=() pid
    for pid in ${running[@]+"${running[@]}"}; do
        if kill -0 "$pid" 2>/dev/null; then left+=("$pid"); else collect "$pid"; fi
    done
    running=(${left[@]+"${left[@]}"})
}

interrupt() { # asks every run to write its checkpoint, and waits for them
    trap '' INT TERM
    local pid
    for pid in ${running[@]+"${running[@]}"}; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in ${running[@]+"${running[@]}"}; do wait "$pid" 2>/dev/null || true; done
    echo "run_seeds: interrupted. To continue, run the same command again." >&2
    exit 130
}
trap interrupt INT TERM

for seed in "${seeds[@]}"; do
    while [ ${#running[@]} -ge "$jobs" ]; do
        sleep 0.2
        collect_ended
    done
    run_seed "$seed" "$@"
    running+=("$!")
done
for pid in "${running[@]}"; do collect "$pid"; done
running=()

if [ "$code" -ne 0 ]; then
    echo "run_seeds: not all seeds finished (exit code $code); the reason is above." >&2
    [ "$code" -ne 130 ] || echo "  To continue, run the same command again." >&2
    exit "$code"
fi
if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
    echo "Compare with other models: stellarcr compare $(printf '%q' "$output/${name}_seed")* ..."
fi
