# One bed at a time. The lock is held by `up` while it works and then by the bed's keeper (it inherits
# descriptor 9) for as long as the bed runs, so that it goes with the process and never gets stale.
# shellcheck shell=bash

# try_lock: takes the lock on descriptor 9; fails if somebody has it.
try_lock() {
  mkdir -p "$STATE"
  exec 9>>"$STATE/lock"
  if ! flock -n 9; then
    exec 9>&-
    return 1
  fi
  # The folder goes away with the bed: a lock on a removed file excludes nobody.
  if [ "$(stat -Lc %i /proc/self/fd/9)" != "$(stat -c %i "$STATE/lock" 2>/dev/null)" ]; then
    exec 9>&-
    try_lock
  fi
}

# hold ROLE: notes who has the lock: `up`, `down` or `keeper`.
hold() { # ROLE PID
  printf '%s %s %s\n' "$1" "$2" "$BED" >"$STATE/holder"
}

# holder: "ROLE PID FOLDER" of the lock's holder.
holder() { cat "$STATE/holder" 2>/dev/null || echo 'unknown ? ?'; }

locked() {
  [ -e "$STATE/lock" ] && ! flock -n "$STATE/lock" true
}

refuse() { # HOLDER
  local role pid folder
  read -r role pid folder <<<"$1"
  die "another testbed/$role is at work (pid $pid, folder $folder)" "wait for it, or end that process; then try again"
}
