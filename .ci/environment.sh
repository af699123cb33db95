# Sourced by every check: strict mode, the root of the repository, the settings of every build, and the tools.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Without debug information a cold build takes half the time and a third of the space.
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_TERM_PROGRESS_WHEN=never DEBIAN_FRONTEND=noninteractive
# Incremental files help an editor's second build; a build from scratch only pays for them.
if [ "${CI:-}" = true ]; then export CARGO_INCREMENTAL=0; fi
export PATH="$PWD/target/tools/bin:$PATH"

# For checks that build programs as a user does, with --release, but run them only once: without whole-program optimization
# the build takes less time. The C library, whose size is checked, is built as always.
build_release_quickly() {
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
  export CARGO_PROFILE_CAPI_LTO=fat CARGO_PROFILE_CAPI_CODEGEN_UNITS=1
}

# Copies the library as a user compiles it: without the other packages of the workspace, whose features would be enabled for
# all, and without what its tests, examples and benches need.
copy_library_alone() { # directory
  git ls-files -z -- src include README.md .cargo Cargo.lock | xargs -0 cp --parents -t "$1"
  awk '
    /^\[/ { skipped = /^\[dev-dependencies\]|^\[\[(example|test|bench)\]\]/ }
    /^(exclude|members) = \[$/ { listed = 1 }
    !skipped && !listed && !/^(default-)?members = / && !/^exclude = /
    /^\]$/ { listed = 0 }
  ' Cargo.toml >"$1/Cargo.toml"
}

# A language's package by its own script, which says what else it needs. Phones and tenants meet at a relay.
check_language() { # language
  build_release_quickly
  cargo rustc --profile capi --lib --no-default-features --features capi --crate-type cdylib,staticlib
  cargo build --release -p pulse-relay
  "examples/$1/check.sh"
}

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# What a check could not examine on this machine. `.ci/run` repeats it at the end. On GitHub everything is available, so
# there it is a failure.
not_checked() {
  printf 'NOT CHECKED: %s\n' "$*"
  [ "${GITHUB_ACTIONS:-}" != true ] || fail "on GitHub this must be checked"
  [ -z "${PULSE_TRUST_NOT_CHECKED:-}" ] || printf '%s\n' "$*" >>"$PULSE_TRUST_NOT_CHECKED"
}

# Makes programs available, each as the row of `.ci/tools` that names it says.
need() {
  local program row kind package version
  for program in "$@"; do
    row=$(awk -v program="$program" '$1 == program { print $2, $3, $4 }' .ci/tools)
    [ -n "$row" ] || fail "$program is not in .ci/tools"
    read -r kind package version <<<"$row"
    case $kind in
      debian) need_debian "$program" "$package" ;;
      crate) need_crate "$package" "$version" ;;
      python) need_python "$program" "$package" "$version" ;;
      go) need_go "$program" "$package" "$version" ;;
      *) fail ".ci/tools: $program comes from '$kind', expected debian, crate, python or go" ;;
    esac
  done
}

need_debian() { # program package
  if command -v "$1" >/dev/null; then return; fi
  install_debian "$2"
  command -v "$1" >/dev/null || fail "the package $2 has no program $1"
}

as_root() {
  if [ "$EUID" = 0 ]; then "$@"; else sudo --preserve-env=DEBIAN_FRONTEND "$@"; fi
}

# With what the package recommends, which includes Chromium's fonts.
install_debian() { # package
  echo "installing $1"
  as_root apt-get update -q >/dev/null
  as_root apt-get install -y -q "$1" >/dev/null
}

# The versions are exact: a newer tool's new lint must not fail an unrelated landing.
need_crate() { # crate version
  local installed
  installed=$(cargo install --list)
  if grep -x "$1 v$2:" <<<"$installed" >/dev/null; then return; fi
  echo "installing $1 $2"
  CARGO_INCREMENTAL=0 CARGO_TARGET_DIR=target/tools/build cargo install --quiet --debug --locked "$1" --version "$2"
}

need_python() { # program package version
  # The folder's own path: .ci/planted reaches the tools of another checkout by a link.
  local tools
  mkdir -p target/tools/bin
  tools=$(realpath target/tools)
  [ -x "$tools/python/bin/python3" ] || python3 -m venv "$tools/python"
  "$tools/python/bin/python3" -m pip install -q --disable-pip-version-check --only-binary :all: "$2==$3"
  ln -sf "$tools/python/bin/$1" "$tools/bin/"
}

need_go() { # program module version
  local installed
  installed=$(go version -m "target/tools/bin/$1" 2>&1) || installed=
  if grep -E "mod[[:space:]].*[[:space:]]$3([[:space:]]|\$)" <<<"$installed" >/dev/null; then return; fi
  GOBIN=$PWD/target/tools/bin go install "$2@$3"
}
