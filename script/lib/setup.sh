# Set-up shared by the scripts: everything a fresh clone needs, and nothing twice.
# shellcheck shell=bash

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$1" >&2
  if [ $# -gt 1 ]; then printf '  %s\n' "$2" >&2; fi
  exit 1
}

# sha256 FILE: macOS has no sha256sum.
sha256() {
  local command=sha256sum
  command -v sha256sum >/dev/null || command='shasum -a 256'
  $command "$1" | cut -d ' ' -f 1
}

# install_modules: `npm ci`, unless node_modules is of this very package-lock.json.
install_modules() {
  local hash
  command -v npm >/dev/null || die 'npm is missing' 'install Node.js with npm; Node 24 itself comes with the packages'
  hash=$(sha256 package-lock.json)
  if [ "$(cat node_modules/.lock-hash 2>/dev/null)" != "$hash" ]; then
    # npm empties the folder that a link leads to, and others may work with that.
    if [ -L node_modules ]; then die 'node_modules is a link, and npm ci would empty what it leads to' 'remove the link first'; fi
    say 'Installing the packages (npm ci)'
    # Its warnings are about what this machine's own Node is too old for, and that one runs nothing.
    npm ci --no-audit --no-fund --loglevel=error --no-update-notifier
    echo "$hash" >node_modules/.lock-hash
  fi
  # Node 24, as on a runner with `using: node24`, whatever the machine has.
  NODE=$PWD/node_modules/.bin/node
  [ "$("$NODE" -p 'process.versions.node.split(".")[0]')" = 24 ] || die "$NODE is not Node 24" 'npm ci (with install scripts: the package `node` needs its own)'
}

# find_kubectl: the user's own, else the one the test bed has built.
find_kubectl() {
  KUBECTL=$(command -v kubectl) || KUBECTL=$(. testbed/lib/settings.sh && echo "$BIN/kubectl")
  [ -x "$KUBECTL" ] || die 'kubectl is missing' 'https://kubernetes.io/docs/tasks/tools/'
}

# find_chromium: the one that is there, else Debian's without a window: some 28 s. What is missing then the tests say.
find_chromium() {
  local name
  for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    if [ "${CHROMIUM:-}" ] || command -v "$name" >/dev/null; then return; fi
  done
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
  say 'Installing a Chromium (apt-get)'
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium-headless-shell fonts-dejavu-core >/dev/null || true
}
