# Sourced by ./run and ./test: makes .venv and keeps it true to the hashed lock.
# Plain sh. Needs $here (the project). Sets $python to the interpreter of the environment.
# A second start only compares a stamp: no Python and no pip is called here.

venv=$here/.venv
python=$venv/bin/python

say() { printf '%s\n' "$*" >&2; }

# stamp LOCK: what an environment installed from this lock, in this place, would be marked with.
stamp() { printf '%s %s' "$(cksum <"$here/$1")" "$here"; }

# need LOCK NAME: have the packages of LOCK; NAME is the stamp's (dev holds all that run needs).
need() {
    if [ -x "$python" ] && [ -r "$venv/.lienthong-$2" ]; then
        read -r marked <"$venv/.lienthong-$2" || :
        [ "$marked" = "$(stamp "$1")" ] && return 0
    fi
    if ! "$python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        make_environment
    fi
    say "lienthong: installing the packages of $1 (once; about a minute) ..."
    rm -f "$venv"/.lienthong-*
    "$python" -m pip install -qq --disable-pip-version-check --no-input \
        --require-hashes -r "$here/$1" || {
        say "lienthong: the packages could not be installed; see the lines above."
        exit 1
    }
    # The checkout itself is importable through one line: no build, nothing to repeat on a change.
    "$python" -c 'import sys, sysconfig, pathlib
pathlib.Path(sysconfig.get_path("purelib"), "lienthong.pth").write_text(sys.argv[1] + "\n")' "$here"
    stamp "$1" >"$venv/.lienthong-$2"
    printf '\n' >>"$venv/.lienthong-$2"
    if [ "$2" = dev ]; then
        stamp requirements.lock >"$venv/.lienthong-run"
        printf '\n' >>"$venv/.lienthong-run"
    fi
}

make_environment() {
    base=$(find_python) || exit 1
    if ! "$base" -c 'import venv, ensurepip' 2>/dev/null; then
        add_venv_module
    fi
    say "lienthong: making the environment .venv with $("$base" --version 2>&1) ..."
    "$base" -m venv --clear "$venv" || {
        say "lienthong: the environment could not be made; see the lines above."
        exit 1
    }
}

find_python() {
    for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
        command -v "$name" >/dev/null 2>&1 || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return 0
        fi
    done
    say "lienthong: needs Python 3.11 or newer; none was found (or set PYTHON to one)."
    return 1
}

# Debian and Ubuntu keep venv in a package of its own.
add_venv_module() {
    package=$("$base" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 &&
        grep -Eq '^ID(_LIKE)?=.*(debian|ubuntu)' /etc/os-release 2>/dev/null; then
        say "lienthong: installing $package ..."
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$package"; } >&2 || :
    fi
    "$base" -c 'import venv, ensurepip' 2>/dev/null && return 0
    say "lienthong: Python's venv module is missing. Type this, then start again:"
    say "    sudo apt-get install -y $package"
    exit 1
}
