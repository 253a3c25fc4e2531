# What is there of a bed, and taking it away. Works from names, cgroups and the saved state alone, so
# also after a run that was killed.
# shellcheck shell=bash

bed_mounts() { awk -v dir="$BED/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r; }

leftovers() {
  local ns link dir pid setting
  for pid in $(cgroup_pids ""); do
    echo "process $pid ($({ tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | cut -c1-80))"
  done
  for dir in $(cgroup_dirs "" | grep -E "/$CGROUP$" || true); do echo "cgroup $dir"; done
  for ns in $(namespaces); do echo "network namespace $ns"; done
  for link in $(links); do echo "interface $link"; done
  for dir in $(ip_here route show | grep -F " dev $HOST_LINK" | awk '{ print $1 }'); do echo "route $dir"; done
  for dir in $(bed_mounts); do echo "mount $dir"; done
  for setting in $(changed_sysctls); do echo "sysctl should be $setting"; done
  if [ -d "$RUN" ]; then echo "folder $RUN"; fi
  if [ -d "$STATE" ]; then echo "folder $STATE"; fi
}

# remove_bed: the caller has the lock. Every step is tried, whatever became of those before.
remove_bed() {
  local failed=0 dir
  end_cgroup "" || failed=1
  remove_network || failed=1
  remove_cgroups "" || failed=1
  for dir in $(bed_mounts); do umount "$dir" || umount -l "$dir" || failed=1; done
  restore_sysctls
  if [ -d "$LOGS" ]; then
    rm -rf "$BED/last-logs"
    mv "$LOGS" "$BED/last-logs"
    for dir in "$RUN"/n[0-9]; do
      if [ -d "$dir" ]; then mkdir -p "$BED/last-logs/${dir##*/}" && cp "$dir"/*.log "$BED/last-logs/${dir##*/}/" 2>/dev/null || true; fi
    done
  fi
  # --one-file-system: if a mount is still there, its other side is not ours to delete.
  rm -rf --one-file-system "$RUN" "$KUBECONFIG_FILE" || failed=1
  return "$failed"
}
