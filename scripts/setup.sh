#!/usr/bin/env bash
# Sets up what the lab, the tests or the build need, and nothing that is there already: Debian
# packages (none for the build), the node modules of package-lock.json, the build. Speaks on stderr
# only, since the lab's standard output may be JSON. Usage: setup.sh lab|test|build [--no-build]
set -euo pipefail
cd "$(dirname "$0")/.."

# nftables cuts a host off for `npm run lab -- --break split`.
lab_packages=(iproute2 iputils-ping nftables util-linux)
test_packages=(
  "${lab_packages[@]}"
  ucarp keepalived                            # the peers
  tcpdump tshark python3-scapy iputils-arping # independent eyes on the wire
  net-tools procps                            # what users' scripts call
  faketime libcap2-bin                        # a wall clock that steps; a daemon without root
  libpcap-dev g++ make python3                # the optional native modules
)

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

case "${1-}" in
  lab) packages=("${lab_packages[@]}") ;;
  test) packages=("${test_packages[@]}") ;;
  build) packages=() ;;
  *) die 'usage: setup.sh lab|test|build [--no-build]' ;;
esac

check_node() {
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1);
  ' || die "Node 20.19 or newer is needed; this is $(node --version)."
}

# iputils-arping and arping both bring a program called arping; the tests want the former's options.
missing_packages() {
  comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) \
    <(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "${packages[@]}" \
      2>/dev/null | sed -n 's/ installed$//p' | sort -u)
}

install_packages() {
  [ "${#packages[@]}" -gt 0 ] || return 0
  if ! command -v dpkg-query >/dev/null; then
    say "this is not a Debian or Ubuntu; I trust that these are installed: ${packages[*]}"
    return
  fi
  local missing
  missing=$(missing_packages | paste -sd ' ')
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    die "these packages are missing and there is no apt-get: $missing"
  [ "$(id -u)" -eq 0 ] || die "these packages are missing and only root can install them: $missing"
  say "installing Debian packages: $missing"
  # The terminal may be absent, and no package may ask a question (tshark would).
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  # shellcheck disable=SC2086 # a list of words
  if ! { apt-get update && apt-get install --yes --no-install-recommends $missing; } \
    >"$log" 2>&1 </dev/null; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    die "apt-get could not install them"
  fi
  rm -f "$log"
}

# Says why the node modules do not match package-lock.json, or nothing. Optional modules that did
# not build are absent without that being an error; the tests ask for them in check_native.
modules_problem() {
  node -e '
    const { readFileSync } = require("node:fs");
    const read = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
    let installed;
    try {
      installed = read("node_modules/.package-lock.json");
    } catch {
      console.log("there is no node_modules");
      process.exit();
    }
    const wanted = read("package-lock.json");
    for (const [path, entry] of Object.entries(wanted)) {
      if (path === "") continue;
      const found = installed[path];
      if (found?.version === entry.version && found.integrity === entry.integrity) continue;
      if (found === undefined && (entry.optional || entry.devOptional || entry.peer)) continue;
      console.log(`${path} is ${found?.version ?? "missing"}, not ${entry.version}`);
      process.exit();
    }
    const extra = Object.keys(installed).find((path) => wanted[path] === undefined);
    if (extra !== undefined) console.log(`${extra} is not in package-lock.json`);
  '
}

# `npm ci`, unless everything is there already.
install_modules() {
  local problem
  problem=$(modules_problem)
  [ -n "$problem" ] || return 0
  say "$problem: installing the node modules of package-lock.json"
  npm_quiet ci
  problem=$(modules_problem)
  [ -z "$problem" ] || die "after npm ci, $problem"
}

npm_quiet() {
  npm "$@" --no-audit --no-fund --loglevel=error </dev/null >&2 || die "npm $1 failed"
}

# Native modules belong to one version of Node, and npm 12 does not build them unless told to.
check_native() {
  local module
  for module in cap raw-socket; do
    if node -e "require('$module')" 2>/dev/null; then continue; fi
    say "building the native module $module for Node $(node --version)"
    if [ ! -d "node_modules/$module" ]; then npm_quiet install --no-save; fi
    npm_quiet rebuild --dangerously-allow-all-scripts "$module"
    node -e "require('$module')" || die "the native module $module cannot be loaded"
  done
}

check_node
install_packages
install_modules
if [ "$1" = test ]; then check_native; fi
if [ "${2-}" != --no-build ]; then bash scripts/build.sh --if-needed; fi
