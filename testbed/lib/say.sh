# How the test bed speaks: progress on stderr, results on stdout, every wait bounded and explained.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

# die WHAT [CURE]: one line for what is wrong, one for what to do.
die() {
  printf 'testbed: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf '         %s\n' "$2" >&2; fi
  exit 1
}

# tail_of FILE: the end of a log, indented, for a message about a failure.
tail_of() {
  if [ -s "$1" ]; then
    printf '  last lines of %s:\n' "$1" >&2
    tail -n "${2:-15}" "$1" | cut -c1-300 | sed 's/^/    /' >&2
  fi
}

# wait_for WHAT SECONDS LOG COMMAND...: until the command succeeds; on expiry says which wait it was
# and shows the log that explains it.
wait_for() {
  local what=$1 limit=$2 log=$3 end
  shift 3
  end=$((SECONDS + limit))
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then
      say "testbed: waited ${limit} s for: $what"
      tail_of "$log"
      return 1
    fi
    if [ "${NEEDS:-}" ] && ! running "$NEEDS" >/dev/null; then
      say "testbed: $NEEDS ended while waiting for: $what"
      tail_of "$log"
      return 1
    fi
    sleep 0.2
  done
}
