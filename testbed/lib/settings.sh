# Every name, address and number of the test bed, in one place. Each can be set from outside, so
# that two test beds can run side by side: give the second another TESTBED_NAME, other networks
# and another CONSUL_DEPLOY_TESTBED.
# shellcheck shell=bash disable=SC2034

TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Folders: what the build keeps, what the running cluster writes.
BED=${CONSUL_DEPLOY_TESTBED:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/consul-deploy/testbed}
BIN=$BED/bin
RUN=$BED/run
LOGS=$RUN/log
PKI=$RUN/pki
KUBECONFIG_FILE=$BED/kubeconfig

# Names on the machine. Interface names have at most 15 letters, so the name is short.
NAME=${TESTBED_NAME:-cdb}
HOST_LINK=${NAME}0                     # this machine's end of the node network
CONTROL_NS=$NAME-control               # network namespace of the control plane and of the bridge
BRIDGE=bridge0                         # inside CONTROL_NS, so no clash with another bridge
CGROUP=${TESTBED_CGROUP:-consul-deploy-testbed${TESTBED_NAME:+-$TESTBED_NAME}}
# State that must be found again even if the working folder is lost or another one.
STATE=/run/consul-deploy-testbed/$NAME

# The nodes.
NODES=${TESTBED_NODES:-3}              # at most 9: the number is a digit of the address
VOLUMES=${TESTBED_VOLUMES:-5}          # local volumes on each node
NODE_MEMORY_MI=${TESTBED_NODE_MEMORY_MI:-7168}

# Addresses of nodes, pods and Services, all of one family: ipv4 or ipv6.
IP_FAMILY=${TESTBED_IP_FAMILY:-ipv4}
if [ "$IP_FAMILY" = ipv6 ]; then
  # The first four numbers of the node network and of the Services, the first three of the pods. Written as the
  # kernel writes them (lower case, no leading zeros), since they are compared with what it says.
  NODE_NET=${TESTBED_NODE_NET:-fdc5:7d3a:90e2:1}
  POD_NET=${TESTBED_POD_NET:-fdc5:7d3a:90e3}
  SERVICE_NET=${TESTBED_SERVICE_NET:-fdc5:7d3a:90e2:2}
  HOST_IP=$NODE_NET::1
  CONTROL_IP=$NODE_NET::2
  SERVICE_IP=$SERVICE_NET::1
  DNS_IP=$SERVICE_NET::a
  ANY_IP=::
  NODE_BITS=64
  PODS=$POD_NET::/48
  SERVICES=$SERVICE_NET::/112
  # Nobody else is in these networks, so no address has to wait until it is known to be the only one.
  ADDRESS_FLAGS=nodad
  NODE_SYSCTLS='net.ipv6.conf.all.forwarding=1'
  node_ip() { echo "$NODE_NET::1$1"; }
  node_pods() { echo "$POD_NET:$1::/64"; }
else
  # The first three numbers of the node network, the first two of the others.
  NODE_NET=${TESTBED_NODE_NET:-10.223.0}
  POD_NET=${TESTBED_POD_NET:-10.245}
  SERVICE_NET=${TESTBED_SERVICE_NET:-10.97}
  HOST_IP=$NODE_NET.1
  CONTROL_IP=$NODE_NET.2
  SERVICE_IP=$SERVICE_NET.0.1
  DNS_IP=$SERVICE_NET.0.10
  ANY_IP=0.0.0.0
  NODE_BITS=24
  PODS=$POD_NET.0.0/16
  SERVICES=$SERVICE_NET.0.0/16
  ADDRESS_FLAGS=''
  NODE_SYSCTLS='net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0'
  node_ip() { echo "$NODE_NET.1$1"; }
  node_pods() { echo "$POD_NET.$1.0/24"; }
fi
in_url() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
# Ports are those of the control plane's own network namespace: nothing listens on the machine's.
API_PORT=${TESTBED_API_PORT:-6443}
ETCD_PORT=${TESTBED_ETCD_PORT:-2379}
API_URL=https://$(in_url "$CONTROL_IP"):$API_PORT

node_name() { echo "n$1"; }
node_ns() { echo "$NAME-n$1"; }
node_link() { echo "${NAME}v$1"; }     # the bridge's end of the node's cable
node_dir() { echo "$RUN/n$1"; }
