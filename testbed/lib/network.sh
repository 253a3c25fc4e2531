# The network. The bridge and the control plane live in a network namespace of their own, and so does
# each node: the machine gets one interface with one address and the routes to the pods, no port, no
# firewall rule and no forwarding. So a Docker or a Kubernetes on the machine is not in the way, nor
# are we in theirs (their rules on forwarded and bridged traffic do not reach into a namespace).
# shellcheck shell=bash

namespaces() {
  ip netns list | awk '{ print $1 }' | grep -E "^$NAME-(control|n[0-9])$" || true
}

# links: the machine's own interfaces that belong to the bed.
links() {
  ip -br link 2>/dev/null | awk '{ sub(/@.*/, "", $1); print $1 }' | grep -xE "$HOST_LINK|${NAME}v[0-9]" || true
}

# ip_here COMMAND...: `ip` for the family of the bed alone.
ip_here() { ip "-${IP_FAMILY#ipv}" "$@"; }

# make_namespace NAME: with IPv6 in it where the bed needs that, whatever the machine has by default.
make_namespace() {
  ip netns add "$1"
  if [ "$IP_FAMILY" = ipv6 ]; then
    nsenter --net="/run/netns/$1" \
      sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 net.ipv6.conf.default.accept_dad=0
  fi
}

make_network() {
  local i j
  make_namespace "$CONTROL_NS"
  ip -n "$CONTROL_NS" link set lo up
  ip -n "$CONTROL_NS" link add "$BRIDGE" type bridge
  # shellcheck disable=SC2086
  ip -n "$CONTROL_NS" addr add "$CONTROL_IP/$NODE_BITS" dev "$BRIDGE" $ADDRESS_FLAGS
  ip -n "$CONTROL_NS" link set "$BRIDGE" up
  ip link add "$HOST_LINK" type veth peer name host netns "$CONTROL_NS"
  ip -n "$CONTROL_NS" link set host master "$BRIDGE" up
  if [ "$IP_FAMILY" = ipv6 ]; then sysctl -qw "net.ipv6.conf.$HOST_LINK.disable_ipv6=0"; fi
  # shellcheck disable=SC2086
  ip addr add "$HOST_IP/$NODE_BITS" dev "$HOST_LINK" $ADDRESS_FLAGS
  ip link set "$HOST_LINK" up
  for i in $(seq "$NODES"); do
    make_namespace "$(node_ns "$i")"
    ip -n "$CONTROL_NS" link add "$(node_link "$i")" type veth peer name eth0 netns "$(node_ns "$i")"
    ip -n "$CONTROL_NS" link set "$(node_link "$i")" master "$BRIDGE" up
    ip -n "$(node_ns "$i")" link set lo up
    # shellcheck disable=SC2086
    ip -n "$(node_ns "$i")" addr add "$(node_ip "$i")/$NODE_BITS" dev eth0 $ADDRESS_FLAGS
    ip -n "$(node_ns "$i")" link set eth0 up
    # A node needs some default route for Service addresses; this one leads nowhere else.
    ip -n "$(node_ns "$i")" route add default via "$CONTROL_IP"
    # shellcheck disable=SC2086
    nsenter --net="/run/netns/$(node_ns "$i")" sysctl -qw $NODE_SYSCTLS
    ip route add "$(node_pods "$i")" via "$(node_ip "$i")"
    ip -n "$CONTROL_NS" route add "$(node_pods "$i")" via "$(node_ip "$i")"
    for j in $(seq "$NODES"); do
      [ "$i" = "$j" ] || ip -n "$(node_ns "$i")" route add "$(node_pods "$j")" via "$(node_ip "$j")"
    done
  done
}

remove_network() {
  local ns link pid
  for ns in $(namespaces); do
    for pid in $(ip netns pids "$ns"); do kill -KILL "$pid" 2>/dev/null || true; done
  done
  # A veth outlives its namespace as long as a process holds that, so end it by name first.
  for link in $(links); do ip link del "$link" 2>/dev/null || true; done
  for ns in $(namespaces); do ip netns del "$ns" 2>/dev/null || true; done
}

# address_clash: another interface or route that already has our addresses, if any.
address_clash() {
  local ours
  if [ "$IP_FAMILY" = ipv6 ]; then
    ours="(^|[^0-9a-f:])($NODE_NET|$POD_NET|$SERVICE_NET):"
  else
    ours="(^|[^0-9])(${NODE_NET//./\\.}\.|${POD_NET//./\\.}\.|${SERVICE_NET//./\\.}\.)[0-9]"
  fi
  { ip_here -br addr show; ip_here route show; } | grep -E "$ours" || true
}
