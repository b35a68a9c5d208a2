# Installing what is missing, and building. Sourced by the other tools.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { echo "== $*" >&2; }
fail() { echo "error: $*" >&2; exit 1; }

# Installs the packages of tools/lib/packages that are not there.
install_packages() {
  local missing
  missing=$(comm -23 <(grep -v '^#' "$repository/tools/lib/packages" | sort) \
    <(dpkg-query -W -f '${Package} ${Status}\n' 2>/dev/null | awk '/ installed$/ {print $1}' | sort))
  [ -z "$missing" ] && return
  [ "$(id -u)" = 0 ] || fail "these packages are missing, and only root can install them: $(echo $missing)"
  say "installing $(echo "$missing" | wc -l) packages"
  export DEBIAN_FRONTEND=noninteractive
  # Package lists may be old or absent on a fresh machine.
  apt-get -q update > /dev/null || fail "apt-get update failed"
  # shellcheck disable=SC2086
  apt-get -qy install --no-install-recommends $missing > /dev/null || fail "apt-get install failed"
}

# build PRESET [TARGET...]
build() {
  local preset=$1
  shift
  say "building ($preset)"
  (cd "$repository" && cmake --preset "$preset" > /dev/null && cmake --build --preset "$preset" ${1:+--target "$@"} | tail -n 3 >&2)
}
