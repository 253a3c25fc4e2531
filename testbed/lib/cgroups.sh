# The test bed's cgroups: /CGROUP/control for the control plane, /CGROUP/nI/system for a node's own
# programs, /CGROUP/nI/kubepods (made by the kubelet) for its pods. Works with one unified hierarchy
# (cgroup v2) and with one for each controller (v1).
# shellcheck shell=bash

hierarchies() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/mounts; }

# hierarchy CONTROLLER: the v1 hierarchy that has it, else the v2 one; says which as "v1 PATH".
hierarchy() {
  awk -v want="$1" '
    $3 == "cgroup" { n = split($4, o, ","); for (i = 1; i <= n; i++) if (o[i] == want) v1 = $2 }
    $3 == "cgroup2" { v2 = $2 }
    END { if (v1) print "v1 " v1; else if (v2) print "v2 " v2; else exit 1 }' /proc/mounts
}

make_cgroup() { # PATH below the bed's own, "" for the bed's
  local h dir parent file controller
  for h in $(hierarchies); do
    dir=$h/$CGROUP${1:+/$1}
    mkdir -p "$dir"
    parent=$(dirname "$dir")
    # v1: a new cpuset is empty, and nothing can run in an empty one.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$parent/$file" ] && [ -e "$dir/$file" ] && [ -e "$parent/cgroup.clone_children" ]; then
        cat "$parent/$file" >"$dir/$file"
      fi
    done
    # v2: a controller reaches a cgroup only if its parent hands it down.
    if [ -e "$parent/cgroup.subtree_control" ]; then
      for controller in $(cat "$parent/cgroup.controllers"); do
        echo "+$controller" >"$parent/cgroup.subtree_control" 2>/dev/null || true
      done
    fi
  done
}

make_node_cgroups() { make_cgroup "" && make_cgroup "n$1" && make_cgroup "n$1/system"; }
make_control_cgroups() { make_cgroup "" && make_cgroup control && prefer_control; }

# A control plane has machines of its own; here it shares them with three nodes. Where it lags behind a starting
# pod, the node authorizer refuses the kubelet the pod's volume claim, and the kubelet tries again only after 10 s
# (https://github.com/kubernetes/kubernetes/issues/49880).
prefer_control() {
  local h
  for h in $(hierarchies); do
    if [ -e "$h/$CGROUP/control/cpu.shares" ]; then echo 8192 >"$h/$CGROUP/control/cpu.shares"; fi
    if [ -e "$h/$CGROUP/control/cpu.weight" ]; then echo 800 >"$h/$CGROUP/control/cpu.weight"; fi
  done
}

join_cgroup() {
  local h
  for h in $(hierarchies); do echo "$BASHPID" >"$h/$CGROUP/$1/cgroup.procs"; done
}

# cgroup_pids [PATH]: every process of the bed, or of a part of it.
cgroup_pids() {
  local h
  for h in $(hierarchies); do
    if [ -d "$h/$CGROUP${1:+/$1}" ]; then
      find "$h/$CGROUP${1:+/$1}" -name cgroup.procs -exec cat {} + 2>/dev/null || true
    fi
  done | sort -un
}

no_process_in() { [ -z "$(cgroup_pids "$1")" ]; }

# end_cgroup PATH: ends what runs there; a process may fork meanwhile, so until none is left.
end_cgroup() {
  local path=$1 pid tries
  for tries in $(seq 50); do
    if no_process_in "$path"; then return 0; fi
    # A stopped process (pause-apiserver) dies of SIGKILL too.
    for pid in $(cgroup_pids "$path"); do kill -KILL "$pid" 2>/dev/null || true; done
    sleep 0.1
  done
  say "testbed: processes in cgroup /$CGROUP/$path outlive SIGKILL ($tries tries): $(cgroup_pids "$path" | tr '\n' ' ')"
  return 1
}

cgroup_dirs() {
  local h
  for h in $(hierarchies); do
    if [ -d "$h/$CGROUP${1:+/$1}" ]; then find "$h/$CGROUP${1:+/$1}" -depth -type d; fi
  done
}

# The kernel lets go of a cgroup a moment after its last process.
remove_cgroups_once() {
  cgroup_dirs "$1" | while read -r dir; do rmdir "$dir" 2>/dev/null || true; done
  [ -z "$(cgroup_dirs "$1")" ]
}
remove_cgroups() { wait_for "removal of cgroup /$CGROUP/$1" 10 /dev/null remove_cgroups_once "$1"; }
