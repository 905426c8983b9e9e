#!/bin/sh
# Prints one line for each prerequisite that is missing or too old; exit 2 if any is. Runs before anything is installed,
# so it needs only a shell. Argument: the Python interpreter.
python=${1:-python3}
problems=0

# need NAME MINIMUM FOUND REMEDY: compares the first two numbers of the versions.
need() {
    if printf '%s %s\n' "$2" "$3" | awk '{ split($1, m, "."); split($2, f, "."); exit !(f[1] > m[1] || (f[1] == m[1] && f[2] + 0 >= m[2] + 0)) }'; then
        return
    fi
    printf '%s >= %s is needed, %s was found: %s.\n' "$1" "$2" "${3:-none}" "$4" >&2
    problems=2
}

need Python 3.11 \
    "$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)" \
    "install it from python.org or your package manager, and name it if it is not python3: make PYTHON=python3.13 ..."
need Node.js 20 \
    "$(node --version 2>/dev/null | tr -d v)" \
    "install it from nodejs.org or your package manager"
need Terraform 1.10 \
    "$(CHECKPOINT_DISABLE=1 terraform version -json 2>/dev/null | sed -n 's/.*"terraform_version": *"\([0-9.]*\).*/\1/p')" \
    "install it from developer.hashicorp.com/terraform/install"

# Debian and Ubuntu ship Python without the venv module.
if [ "$problems" -eq 0 ] && [ ! -e .tools ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    printf 'Python lacks its venv module: install it, on Debian and Ubuntu with apt install python3-venv.\n' >&2
    problems=2
fi

# Everything is installed and built inside this folder; an existing folder may be a link to another place.
for folder in .tools .venv .build cdktf.out; do
    [ -e "$folder" ] || folder=.
    if [ ! -w "$folder" ]; then
        printf '%s is not writable: change its permissions, or use a copy of the project that you own.\n' "$(cd "$folder" && pwd)" >&2
        problems=2
        break
    fi
done
exit "$problems"
