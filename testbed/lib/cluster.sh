# What a fresh cluster gets: DNS, a default StorageClass and local volumes.
# shellcheck shell=bash

corefile() { # on|off
  printf '.:53 {\n    errors\n    health\n    ready\n    kubernetes cluster.local in-addr.arpa ip6.arpa {\n        pods insecure\n'
  if [ "$1" = on ]; then printf '        ttl 30\n    }\n    cache 30\n}\n'; else printf '        ttl 0\n    }\n}\n'; fi
}

dns_manifest() { # on|off
  local file hash
  file=$(corefile "$1")
  hash=$(sha256sum <<<"$file" | cut -c1-16)
  awk -v indent='    ' -v corefile="$file" -v hash="$hash" -v ip="$DNS_IP" '
    /@COREFILE@/ { n = split(corefile, line, "\n"); for (i = 1; i <= n; i++) print indent line[i]; next }
    { gsub(/@HASH@/, hash); gsub(/@DNS_IP@/, ip); print }' "$TESTBED/cluster/dns.yaml"
}

volume_manifests() {
  local i k
  for i in $(seq "$NODES"); do
    for k in $(seq "$VOLUMES"); do
      sed -e "s/@NODE@/n$i/g" -e "s/@VOLUME@/$k/g" "$TESTBED/cluster/volume.yaml"
    done
  done
}

make_volume_folders() {
  local i k
  for i in $(seq "$NODES"); do
    for k in $(seq "$VOLUMES"); do
      mkdir -p "$(node_dir "$i")/kubelet/volume$k"
      chmod 777 "$(node_dir "$i")/kubelet/volume$k"
    done
  done
}

apply_cluster() { # on|off: the DNS cache
  { cat "$TESTBED/cluster/storage.yaml"; volume_manifests; dns_manifest "$1"; } |
    kube apply --server-side --force-conflicts --field-manager=testbed -f - >>"$LOGS/cluster.log" 2>&1 9>&- ||
    { tail_of "$LOGS/cluster.log"; die 'the cluster refused its DNS and volumes'; }
  # Set apart from the manifest, because the faults change it.
  kube -n kube-system scale deployment coredns --replicas=1 >>"$LOGS/cluster.log" 2>&1 9>&-
}

dns_ready() {
  kube -n kube-system rollout status deployment coredns --watch=false | grep -q 'successfully rolled out' && dns_answers
}
# Asked over UDP from the machine at the pod itself: through a node, as a pod's question would go.
dns_answers() {
  local pod
  pod=$(kube -n kube-system get endpoints kube-dns -o 'jsonpath={.subsets[0].addresses[0].ip}' 2>/dev/null)
  [ -n "$pod" ] && python3 "$TESTBED/cluster/ask-dns.py" "$pod" kubernetes.default.svc.cluster.local "$SERVICE_IP"
}
wait_for_dns() { wait_for 'cluster DNS to answer' 90 "$LOGS/cluster.log" dns_ready; }

# start_keeper: makes released volumes usable again, and holds the lock while the bed lives.
start_keeper() {
  KEEP_LOCK=yes spawn keeper control python3 "$TESTBED/cluster/keeper.py" "$API_URL" "$PKI" "$RUN"
  hold keeper "$(running keeper)"
}

# faults: what is not as it should be, one line each; nothing for a healthy bed.
faults() {
  local i name
  for name in etcd apiserver controller-manager scheduler keeper; do
    running "$name" >/dev/null || echo "$name does not run"
  done
  if [ "$(process_state apiserver)" = T ]; then echo 'the API server is paused (testbed/fault resume-apiserver)'; return; fi
  apiserver_ready >/dev/null 2>&1 || { echo "the API server does not answer at $API_URL"; return; }
  for i in $(seq "$NODES"); do
    node_ready "$i" || echo "node n$i is not Ready (testbed/fault return-node $i or heal-node $i)"
    if [ -e "$RUN/slow-cpu-$i" ]; then echo "node n$i has $(cat "$RUN/slow-cpu-$i") % of a processor (testbed/fault normal-cpu $i)"; fi
    if [ -e "$RUN/slow-disk-$i" ]; then echo "node n$i writes $(cat "$RUN/slow-disk-$i") KiB/s (testbed/fault normal-disk $i)"; fi
  done
  dns_ready >/dev/null 2>&1 || echo 'cluster DNS does not answer (testbed/fault dns-start)'
}

process_state() {
  local pid
  pid=$(running "$1") || return 0
  sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c1
}
