#!/bin/sh
# Says in one line each which prerequisite is missing or too old; exit 2 if any is. Runs before anything is installed,
# so it needs no more than a shell. Argument: the Python to use.
python=${1:-python3}
problems=0

# need NAME MINIMUM FOUND REMEDY: the versions are compared by their first two numbers.
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
exit "$problems"
