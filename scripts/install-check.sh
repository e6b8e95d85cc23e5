#!/usr/bin/env bash
# Proves that the packed program installs with `npm install -g` alone, no flag and no compiler,
# and runs from there. Without an argument for this Node and its npm; with --all for every Node
# and npm supported, npm 12 (which runs no install scripts) among them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/counts.sh
. scripts/node-cache.sh

version=$(node -p 'require("./package.json").version')
registry=$(npm config get registry 2>/dev/null)
downloads=$(npm config get cache 2>/dev/null)

# A path on which npm finds Node and a shell, but neither compiler nor make nor Python.
bare_path() {
  local dir=$scratch/path-$1
  mkdir -p "$dir"
  ln -sf "$2" "$dir/node"
  ln -sf /bin/sh "$dir/sh"
  echo "$dir"
}

# As a new user has it: none of this user's npm settings but the registry and the cache, so also
# no headers to build with.
install() {
  local node_path=$1 npm=$2 prefix=$3
  shift 3
  (
    for name in ${!npm_*}; do unset "$name"; done
    export HOME=$scratch/home CC=/bin/false CXX=/bin/false PATH=$node_path
    export npm_config_registry=$registry npm_config_cache=$downloads
    export npm_config_update_notifier=false
    node "$npm" install -g --prefix "$prefix" "$@" "$tarball"
  ) </dev/null
}

prints_version() { [ "$("$1/bin/tscarp" --version)" = "tscarp $version" ]; }

prints_help() { "$1/bin/tscarp" --help | grep -q -- --vhid; }

# await SECONDS COMMAND...: until it succeeds, which it must by then.
await() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "not within its time: $*"
      return 1
    fi
    sleep 0.1
  done
}

# The daemon of PREFIX on one end of a veth pair: it becomes master and its address answers the
# other end; told to stop, it exits with 0 and the address is gone.
becomes_master() {
  # Not local: the trap is run when the function is gone.
  ours=tscarp-inst-$$-a theirs=tscarp-inst-$$-b daemon=
  clean() {
    if [ -n "$daemon" ]; then kill -KILL "$daemon" 2>/dev/null || true; fi
    ip netns delete "$ours" 2>/dev/null || true
    ip netns delete "$theirs" 2>/dev/null || true
  }
  trap clean EXIT
  ip netns add "$ours"
  ip netns add "$theirs"
  ip -n "$ours" link add lan type veth peer name lan netns "$theirs"
  ip -n "$ours" link set lan up
  ip -n "$theirs" link set lan up
  ip -n "$ours" address add 10.77.0.1/24 dev lan
  ip -n "$theirs" address add 10.77.0.2/24 dev lan
  ip netns exec "$ours" "$1/bin/tscarp" --vhid 77 --pass install --src 10.77.0.1 \
    --addr 10.77.0.100/24 --if lan &
  daemon=$!
  await 10 ip netns exec "$theirs" ping -c 1 -W 1 10.77.0.100
  kill -TERM "$daemon"
  wait "$daemon"
  daemon=
  test -z "$(ip -n "$ours" -oneline address show to 10.77.0.100)"
  await 1 grep -q 'Switching to state: MASTER' "$scratch/log"
}

# cell WIDTH COMMAND...: runs it quietly and prints how it went as one cell of the table.
cell() {
  local width=$1 word=ok
  shift
  attempt "$@" >"$scratch/log" 2>&1
  if [ "$status" -ne 0 ]; then
    word=FAILED
    row_failed=1
    { echo "-- $row: $*"; cat "$scratch/log"; } >>"$scratch/complaints"
  fi
  printf " %-${width}s" "$word"
}

# try NODE NPM SCRIPTS [OPTION...]: a row of the table, one check.
try() {
  local node=$1 npm=$2 scripts=$3 prefix=$scratch/prefix path row row_failed=0
  shift 3
  path=$(bare_path "$("$node" --version)" "$node")
  row=$(printf '%-10s %-8s %-8s' "$("$node" --version)" "$("$node" "$npm" --version 2>/dev/null)" \
    "$scripts")
  rm -rf "$prefix"
  printf '%s' "$row"
  cell 8 install "$path" "$npm" "$prefix" "$@"
  # What was installed asks env for node, and for programs of the system.
  local PATH=$path:$PATH
  cell 10 prints_version "$prefix"
  cell 7 prints_help "$prefix"
  if [ "$(id -u)" -eq 0 ]; then cell 8 becomes_master "$prefix"; else printf ' needs root'; fi
  printf '\n'
  if [ "$row_failed" -eq 0 ]; then record 1 0 0; else record 0 1 0; fi
}

all_versions() {
  local major npm
  for major in 20 22 24 26; do
    for npm in 10 11 12; do
      # npm 12 wants Node 22; npm 10 is what came with 20 and 22.
      if [ "$major-$npm" = 20-12 ] || { [ "$major" -ge 24 ] && [ "$npm" = 10 ]; }; then continue; fi
      try "$(node_home "$major")/bin/node" "$(npm_cli "$npm")" \
        "$(if [ "$npm" = 12 ]; then echo blocked; else echo run; fi)"
    done
    try "$(node_home "$major")/bin/node" "$(npm_cli 11)" refused --ignore-scripts
  done
}

mkdir -p "$scratch/home"
bash scripts/build.sh --if-needed
npm pack --silent --pack-destination "$scratch" >/dev/null
tarball=$(echo "$scratch"/tscarp-*.tgz)

printf '%-10s %-8s %-8s %-8s %-10s %-7s %s\n' node npm scripts install --version --help daemon
if [ "${1-}" = --all ]; then
  all_versions
else
  try "$(command -v node)" "$(readlink -f "$(command -v npm)")" run
fi
if [ -s "$scratch/complaints" ]; then
  printf '\n'
  cat "$scratch/complaints"
fi
finish
