# shellcheck shell=bash
# Sourced by quickstart.sh and test.sh: finds a Python, makes .venv in the checkout, installs into it.
#
#   prepare_environment ""       installs stellarcr
#   prepare_environment test     installs stellarcr[test]
#
# Expects $root (the checkout, absolute). Sets $venv. The file .venv/.stellarcr-setup says in what state the
# environment is: "incomplete" while pip works, otherwise what was installed. An environment that was left
# incomplete (killed, power cut) is made anew; an environment that somebody else made is never deleted.

: "${root:?is set by the script that sources this one}"
venv="$root/.venv"
log="$root/build/install.log"

# A cluster's module system or a user's pip settings must not leak into the environment.
unset PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

stop() { # stop LINE...: says what is missing and ends
    printf 'stellarcr: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 2
}

python_version() { # prints the version; fails where it is older than 3.11 or does not start
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3]); sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() { # sets $python to the first suitable interpreter
    local candidate path version found="" without_venv="" candidates
    candidates="python3.13 python3.12 python3.11 python3 python python3.14"
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null 2>&1 || stop "PYTHON=$PYTHON is not a program." \
            "Set PYTHON to a Python 3.11 or newer, or unset it to search the PATH."
        candidates=""
        set -- "$PYTHON"
    else
        # shellcheck disable=SC2086
        set -- $candidates
    fi
    for candidate in "$@"; do
        path="$(command -v "$candidate" 2>/dev/null)" || continue
        if version="$(python_version "$path")"; then
            if "$path" -c 'import venv, ensurepip' >/dev/null 2>&1; then
                python="$path"
                return 0
            fi
            without_venv="$path (Python $version)"
        else
            found="$found${found:+, }$path ($(printf '%s' "${version:-does not start}"))"
        fi
    done
    if [ -n "$without_venv" ]; then
        stop "$without_venv has no venv module, so no environment can be made." \
            "Debian and Ubuntu: sudo apt install python3-venv" \
            "Or name another Python 3.11 or newer: PYTHON=/path/to/python bash $(printf '%q' "$0")"
    fi
    stop "Python 3.11 or newer is needed and was not found." \
        "Found: ${found:-no Python at all}." \
        "Debian 12, Ubuntu 24.04 or newer: sudo apt install python3 python3-venv" \
        "macOS: brew install python@3.12    Conda: conda create -n python312 python=3.12" \
        "Then: PYTHON=/path/to/python bash $(printf '%q' "$0")"
}

fingerprint() { # what the environment was made from: the checkout's place and its pyproject.toml
    "$1" -c 'import hashlib, sys
print(hashlib.sha256(sys.argv[1].encode() + open(sys.argv[2], "rb").read()).hexdigest())' "$root" "$root/pyproject.toml"
}

explain_pip() { # turns pip's log into one line
    if grep -qiE 'NewConnectionError|Failed to establish a new connection|name resolution|Name or service not known|Network is unreachable|Connect(ion)?Timeout|Read timed out|ProxyError|Connection (refused|reset|to .* timed out)|SSLError|RemoteDisconnected|nodename nor servname' "$log"; then
        echo "the package index cannot be reached: no network, or a proxy is missing (https_proxy, PIP_INDEX_URL)."
    elif grep -qi 'No space left on device' "$log"; then
        echo "the disk is full."
    elif grep -qi 'Permission denied' "$log"; then
        echo "permission denied while writing $venv."
    else
        # The reason is the last Python error of a build if there is one, otherwise pip's own last word.
        local reason
        reason="$(grep -oE '[A-Za-z]+Error: .*' "$log" | tail -n 1)" || reason="$(grep -E '^ *ERROR: ' "$log" | tail -n 1)" ||
            reason="$(tail -n 1 "$log")"
        echo "pip says: $reason"
    fi
}

prepare_environment() {
    local extra="$1" state="$venv/.stellarcr-setup" wanted before="" made="" target="$root"
    [ -z "$extra" ] || target="${root}[$extra]"
    mkdir -p "$root/build" 2>/dev/null && [ -w "$root" ] || stop "cannot write in $root." \
        "The environment (.venv) and the runs (chains/) are kept there: use a copy that you may write."

    if [ -e "$venv" ]; then
        [ ! -f "$state" ] || before="$(cat "$state")"
        if [ "$before" = "incomplete" ]; then
            echo "An earlier installation was interrupted: making .venv anew."
            rm -rf -- "$venv"
        elif ! python_version "$venv/bin/python" >/dev/null || ! "$venv/bin/python" -c 'import pip' 2>/dev/null; then
            [ -n "$before" ] || stop "$venv exists, was not made by this script, and is no Python 3.11+ with pip." \
                "Move it away, then run this again."
            echo "The Python behind .venv is gone: making .venv anew."
            rm -rf -- "$venv"
        elif [ -n "$before" ] && [ "$(sed -n 2p "$state")" != "$root" ]; then
            echo "The checkout was moved: making .venv anew."
            rm -rf -- "$venv"
        fi
    fi

    if [ ! -e "$venv" ]; then
        find_python
        before=""
        made="yes"
        echo "Making .venv with $python."
        mkdir "$venv"
        echo "incomplete" >"$state"
        if ! "$python" -m venv "$venv" >"$log" 2>&1; then
            rm -rf -- "$venv"
            stop "$python could not make an environment in $venv." "Log: $log"
        fi
    fi

    # Lines of the state file: fingerprint, checkout, extras ("-" for none).
    wanted="$(fingerprint "$venv/bin/python")"
    if [ "$(printf '%s\n' "$before" | sed -n 1p)" = "$wanted" ]; then
        case "$(printf '%s\n' "$before" | sed -n 3p)" in
            "${extra:--}" | test) return 0 ;;
        esac
    fi

    echo "Installing stellarcr${extra:+[$extra]} and what it needs (a few minutes the first time; log: $log)."
    echo "incomplete" >"$state"
    if ! "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --retries 2 --timeout 20 \
        --editable "$target" >"$log" 2>&1; then
        # pip downloads everything before it changes anything: what was there before still works.
        if [ -n "$made" ]; then
            rm -rf -- "$venv"
        elif [ -n "$before" ]; then
            printf '%s\n' "$before" >"$state"
        else
            rm -f -- "$state"
        fi
        stop "the installation failed: $(explain_pip)" "Log: $log" "Nothing is left half done: run this again when it is fixed."
    fi
    printf '%s\n%s\n%s\n' "$wanted" "$root" "${extra:--}" >"$state"
}
