#!/bin/sh
# Releases a version: changelog, pyproject.toml, commit, tag. Pushes nothing. Argument: the version, as in 1.2.3.
set -eu
version=${1:-}

fail() {
    printf '%s\n' "$1" >&2
    exit 2
}

printf '%s' "$version" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || fail 'Write: make release VERSION=1.2.3'
[ -z "$(git status --porcelain)" ] || fail 'There are changes that are not committed. Commit or stash them first.'
! git rev-parse --quiet --verify "refs/tags/v$version" >/dev/null || fail "The tag v$version is there already."
awk '/^## / { here = /^## \[Unreleased\]$/ } here && /^- / { found = 1 } END { exit !found }' CHANGELOG.md ||
    fail 'CHANGELOG.md has nothing under "## [Unreleased]".'

# replace FILE AWK-PROGRAM: in place, on every platform.
replace() {
    awk -v version="$version" -v date="$(date -u +%Y-%m-%d)" "$2" "$1" >"$1.new"
    cat "$1.new" >"$1"
    rm "$1.new"
}

replace CHANGELOG.md '{ print } /^## \[Unreleased\]$/ { print "\n## [" version "] - " date }'
replace pyproject.toml '/^version = / && !done { $0 = "version = \"" version "\""; done = 1 } { print }'
git commit --quiet --message "chore: release $version" CHANGELOG.md pyproject.toml
git tag --annotate "v$version" --message "Media Workflow $version"
printf 'Released %s here. To publish it: git push --follow-tags\n' "$version"
