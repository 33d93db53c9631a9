# Sourced by tools/quickstart and tools/check: what they say, and the packages they need.
# Debian's names; on another system they say which tools to install and go on.
# shellcheck shell=bash

# What the build needs.
BUILD_PACKAGES=(
  g++ meson ninja-build pkg-config
  libsqlite3-dev libuv1-dev libfmt-dev  # the library
  libcurl4-openssl-dev zlib1g-dev       # branches that are URLs
  libnghttp2-dev libssl-dev             # branches over gRPC
  libc-ares-dev                         # their hosts, and services found by name
  libpq-dev libmariadb-dev              # databases that take part
  libcli11-dev nlohmann-json3-dev       # the tools
  libgrpc++-dev                         # gRPC in the bench and the tests
  libmicrohttpd-dev libgnutls28-dev prometheus-cpp-dev libtomlplusplus-dev  # belay serve
  libgrpc++-dev libprotobuf-dev protobuf-compiler protobuf-compiler-grpc  # its gRPC service
)
# What the tests need on top: the second compiler with its sanitizers, the checkers, and the
# databases that take part, which the tests start themselves.
CHECK_PACKAGES=(
  doctest-dev clang libclang-rt-14-dev clang-tidy clang-format valgrind python3 binutils
  nodejs openssl zsh groff-base
  python3-grpcio python3-protobuf  # the gRPC service through a client of its own
  python3-jsonschema python3-hypothesis  # the admin API against its description
  chromium chromium-driver python3-selenium  # the console in a browser
  postgresql mariadb-server-core mariadb-client-core
  etcd-server etcd-client  # a registry, which the tests start themselves
  prometheus  # promtool, which checks the alert rules and the dashboard
)

say() { printf '\n%s\n' "== $*"; }

die() {
  printf '%s\n' "$(basename "$0"): $*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "needs root to install packages, and there is no sudo: run '$*' as root first"
  fi
}

# "$@", without any service being started by a package that brings one.
without_services() {
  local policy=/usr/sbin/policy-rc.d code=0
  [ -e $policy ] && { "$@"; return; }
  printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null && as_root chmod +x $policy
  "$@" || code=$?
  as_root rm -f $policy
  return $code
}

# Installs those of the packages that are missing; asks the network only then.
install_packages() {
  local missing=() package
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "not a Debian system: taking it that the equivalents of these are here: $*"
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  as_root apt-get -qq update || true  # one broken source of many; the install decides
  without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install ${missing[*]}"
}

# What was built as root inside somebody's checkout is theirs.
give_back() {
  if [ "$(id -u)" -eq 0 ] && [ "$(stat -c %u meson.build)" -ne 0 ]; then
    chown -R --reference=meson.build "$@"
  fi
}

# Configures the build folder $1 with the other arguments; anew if it was made for another place.
configure() {
  local folder=$1 stamp
  shift
  stamp="$PWD $*"
  if [ -f "$folder/.configured" ] && [ "$(cat "$folder/.configured")" = "$stamp" ]; then
    return
  fi
  if [ -f "$folder/.configured" ] || [ ! -f "$folder/build.ninja" ]; then
    rm -rf "$folder"
    meson setup "$folder" "$@" || return
  else
    meson setup --reconfigure "$folder" "$@" || return
  fi
  printf '%s\n' "$stamp" >"$folder/.configured"
}
