# The faults, each with its way back. Going back waits until all is well again.
# shellcheck shell=bash

fault_crash_node() { crash_node "$1"; }

fault_return_node() {
  if running "node$1" >/dev/null; then die "node n$1 runs"; fi
  return_node "$1"
  wait_until_ready "$1"
}

# The node's lease is older than its return, so for a moment it may still count as Ready: ask for a
# Ready condition that the kubelet has renewed since.
wait_until_ready() {
  local since
  since=$(date +%s)
  wait_for "node n$1 to be Ready again" 90 "$(node_dir "$1")/kubelet.log" ready_since "$1" "$since"
}
ready_since() {
  local ready renewed taints
  IFS=' ' read -r ready renewed < <(kube get node "n$1" -o 'jsonpath={range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{"\n"}{end}')
  [ "$ready" = True ] && [ "$(date -d "$renewed" +%s)" -ge "$2" ] || return 1
  # The controller takes its taints away a little later; until then the node takes no pods.
  taints=$(kube get node "n$1" -o 'jsonpath={.spec.taints[*].key}') || return 1
  ! [[ $taints =~ node\.kubernetes\.io/(not-ready|unreachable) ]]
}

fault_partition_node() { ip -n "$CONTROL_NS" link set "$(node_link "$1")" down; }
fault_heal_node() {
  ip -n "$CONTROL_NS" link set "$(node_link "$1")" up
  wait_until_ready "$1"
}

apiserver_pid() { running apiserver || die 'the API server does not run' 'testbed/fault restart-apiserver'; }
fault_pause_apiserver() { kill -STOP "$(apiserver_pid)"; }
fault_resume_apiserver() {
  kill -CONT "$(apiserver_pid)"
  wait_for_apiserver
}
fault_stop_apiserver() { end_process apiserver; }
fault_start_apiserver() {
  if running apiserver >/dev/null; then die 'the API server runs'; fi
  start_apiserver
  wait_for_apiserver
}
fault_restart_apiserver() {
  end_process apiserver
  start_apiserver
  wait_for_apiserver
}

fault_slow_cpu() {
  local percent=${2:-} version path dir
  [[ $percent =~ ^[0-9]+$ ]] && [ "$percent" -ge 1 ] || die "how slow? '$percent' is not a percentage of one processor"
  read -r version path < <(hierarchy cpu)
  dir=$path/$CGROUP/n$1
  if [ "$version" = v1 ]; then
    echo 100000 >"$dir/cpu.cfs_period_us"
    echo "$((percent * 1000))" >"$dir/cpu.cfs_quota_us" 2>/dev/null ||
      die "the kernel refuses $percent % for n$1" 'with cgroup v1 no pod on the node may have a higher CPU limit'
  else
    echo "$((percent * 1000)) 100000" >"$dir/cpu.max"
  fi
  echo "$percent" >"$RUN/slow-cpu-$1"
}
fault_normal_cpu() {
  local version path
  read -r version path < <(hierarchy cpu)
  if [ "$version" = v1 ]; then echo -1 >"$path/$CGROUP/n$1/cpu.cfs_quota_us"; else echo max >"$path/$CGROUP/n$1/cpu.max"; fi
  rm -f "$RUN/slow-cpu-$1"
}

# disk: MAJOR:MINOR of the whole disk below the working folder; limits are for disks, not partitions.
disk() {
  local device sys
  device=$(stat -c '%Hd:%Ld' "$RUN")
  sys=$(readlink -f "/sys/dev/block/$device") || true
  [ -n "$sys" ] && [ -e "$sys/dev" ] || die "$RUN is not on a disk of this machine" 'choose a working folder on one by CONSUL_DEPLOY_TESTBED'
  if [ -e "$sys/partition" ]; then device=$(cat "$sys/../dev"); fi
  echo "$device"
}
# limit_disk N LIMIT: bytes a second written, 0 for none.
limit_disk() {
  local version path disk dir limit=$2
  disk=$(disk)
  read -r version path < <(hierarchy blkio)
  if [ "$version" = v1 ]; then
    # v1 does not hand a disk limit down, so each cgroup that is there now gets its own (and all of them
    # together may write more): https://docs.kernel.org/admin-guide/cgroup-v1/blkio-controller.html
    find "$path/$CGROUP/n$1" -type d | while read -r dir; do
      echo "$disk $limit" >"$dir/blkio.throttle.write_bps_device"
    done
  else
    if [ "$limit" = 0 ]; then limit=max; fi
    echo "$disk wbps=$limit" >"$path/$CGROUP/n$1/io.max"
  fi
}
fault_slow_disk() {
  [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "how slow? '${2:-}' is not a number of KiB a second"
  limit_disk "$1" $(($2 * 1024))
  echo "$2" >"$RUN/slow-disk-$1"
}
fault_normal_disk() {
  limit_disk "$1" 0
  rm -f "$RUN/slow-disk-$1"
}

fault_dns_stop() {
  kube -n kube-system scale deployment coredns --replicas=0 >/dev/null
  wait_for 'the DNS pods to go' 60 "$LOGS/controller-manager.log" no_dns_pods
}
no_dns_pods() { [ -z "$(kube -n kube-system get pods -l k8s-app=kube-dns -o name)" ]; }
fault_dns_start() {
  kube -n kube-system scale deployment coredns --replicas=1 >/dev/null
  wait_for_dns
}
