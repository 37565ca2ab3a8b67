# Sourced by run and test: makes .venv, installs the project with its pinned packages, builds the web app.
# Every package must have one of the hashes in deploy/pinned/, wherever the index got it from.

fail() { printf '%s\n' "$@" >&2; exit 1; }

step() { printf '» %s\n' "$1"; }

find_python() {  # prints the first Python that is new enough
    local name
    for name in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
            && { echo "$name"; return; }
    done
    fail "Tandem needs Python 3.11 or newer, and none was found." \
        "Install it (Debian, Ubuntu: apt-get install python3 python3-venv), or name one: PYTHON=/path/to/python3 $0"
}

has_node() {  # as deploy/build_web.py judges it
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

fingerprint() { { pwd; cat pyproject.toml deploy/pinned/*.txt deploy/environment.sh; } | cksum; }

install() {  # `install` for running, `install test` for the tests as well; at once when nothing changed
    local extra="${1:-}" seen python
    seen=$(fingerprint)
    [ "$(cat ".venv/installed-$extra" 2>/dev/null)" = "$seen" ] && return
    python=$(find_python) || exit 1
    step "Installing Tandem's packages into .venv (the first time: about a minute)"
    .venv/bin/python -m pip --version >/dev/null 2>&1 || "$python" -m venv --clear .venv || fail \
        "$python could not make a virtual environment (Debian, Ubuntu: apt-get install python3-venv)."
    add_pinned build
    has_node || add_pinned node
    add_pinned "${extra:-run}"
    build_web
    add --no-deps --no-build-isolation -e .
    echo "$seen" | tee .venv/installed- >".venv/installed-$extra"
}

# Without isolation, packages that come as source are built with the pinned setuptools, not with any that pip downloads.
add_pinned() { add --no-build-isolation --require-hashes -r "deploy/pinned/$1.txt"; }

add() {
    .venv/bin/python -m pip install -qq --disable-pip-version-check "$@" \
        || fail "The packages could not be installed. Is there a network, or a package mirror that pip knows of?"
}

build_web() {
    .venv/bin/python deploy/build_web.py || fail "The web app could not be built; the lines above say why."
}
