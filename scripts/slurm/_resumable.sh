# Sourced by the batch scripts beside it. Not for use by itself.

# One thread: matrices are small, and many threads that wait for each other cost several times the work.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

stop() { # stop LINE...: says what is wrong and ends
    printf 'slurm: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 2
}

# resumable COMMAND...: runs a command that continues where it stopped when it is started again.
#   SIGUSR1, which SLURM sends before the time limit (--signal=B:USR1@180): the command writes its checkpoint, and the job
#   goes back to the queue. SIGTERM (preemption, scancel): it writes its checkpoint; SLURM requeues a preempted job itself.
# Ends with the exit code of the command: 130 if it was stopped.
resumable() {
    local child code requeue=""
    "$@" &
    child=$!
    trap 'requeue=yes; kill -TERM "$child" 2>/dev/null || true' USR1
    trap 'kill -TERM "$child" 2>/dev/null || true' TERM INT
    while :; do # a trapped signal ends "wait" before the command has ended
        code=0
        wait "$child" || code=$?
        kill -0 "$child" 2>/dev/null || break
    done
    trap - USR1 TERM INT
    if [ -n "$requeue" ] && [ "$code" -eq 130 ]; then
        echo "slurm: the time limit is near; the checkpoint is written, and the job goes back to the queue."
        scontrol requeue "$SLURM_JOB_ID"
    fi
    return "$code"
}
