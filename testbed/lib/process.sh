# Processes of the test bed: started in its cgroups, recorded with pid and start time, ended by pid.
# A pid alone is not enough: after a crash the number may belong to a stranger.
# shellcheck shell=bash

# start_time PID: in clock ticks since boot, field 22 of /proc/PID/stat. The second field may hold
# spaces and brackets, so count from its end. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  # shellcheck disable=SC2086
  set -- $stat
  echo "${20}"
}

record_pid() { # FILE PID
  printf '%s %s\n' "$2" "$(start_time "$2")" >"$1"
}

# recorded_pid FILE: the pid, if that very process still runs.
recorded_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$1" || return 1
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] || return 1
  echo "$pid"
}

pid_file() { echo "$RUN/pids/$1"; }
running() { recorded_pid "$(pid_file "$1")"; }

# spawn NAME CGROUP COMMAND...: in the background, in its own session, with a clean environment (a
# proxy of the caller's shell would let nodes pull images) and without the lock
# (descriptor 9) and the caller's stderr (7): who reads that would wait for the bed's end.
spawn() {
  local name=$1 cgroup=$2
  shift 2
  (
    exec 7>&-
    [ "${KEEP_LOCK:-}" ] || exec 9>&-
    join_cgroup "$cgroup"
    cd /
    exec setsid env -i PATH="$PATH" HOME=/root "$@"
  ) >>"$LOGS/$name.log" 2>&1 </dev/null &
  record_pid "$(pid_file "$name")" $!
  disown # or the shell would report each one's end
}

in_control() { echo nsenter "--net=/run/netns/$CONTROL_NS"; }

# end_process NAME: ends it and waits until it is gone.
end_process() {
  local pid
  pid=$(running "$1") || return 0
  kill -KILL "$pid" 2>/dev/null || true
  wait_for "end of $1 ($pid)" 10 "$LOGS/$1.log" not_running "$1"
  rm -f "$(pid_file "$1")"
}

# The first thread may be a zombie while others still hold the process's ports.
not_running() {
  local pid state threads
  pid=$(running "$1") || return 0
  state=$(cut -d ')' -f 2- "/proc/$pid/stat" 2>/dev/null | cut -c 2)
  threads=("/proc/$pid/task/"*)
  [ -z "$state" ] || { [ "$state" = Z ] && [ "${#threads[@]}" -le 1 ]; }
}
