#!/usr/bin/dumb-init /bin/sh
# Behaves as the official image's entry point, so that what starts here starts there and what fails
# there fails here: https://developer.hashicorp.com/consul/docs/docker and the image's own script.
# Not carried over: CONSUL_ALLOW_PRIVILEGED_PORTS (it needs setcap).
set -e

data=${CONSUL_DATA_DIR:-/consul/data}
config=${CONSUL_CONFIG_DIR:-/consul/config}

# flag_for NAME GIVEN INTERFACE: a whole flag given in CONSUL_BIND or CONSUL_CLIENT wins, else the first
# IPv4 address of the interface named in CONSUL_BIND_INTERFACE or CONSUL_CLIENT_INTERFACE.
flag_for() {
  if [ -n "$2" ]; then
    echo "$2"
  elif [ -n "$3" ]; then
    address=$(ip -o -4 addr list "$3" | awk 'NR == 1 { sub("/.*", "", $4); print $4 }')
    if [ -z "$address" ]; then
      echo "Could not find IP for interface '$3', exiting" >&2
      exit 1
    fi
    echo "==> Found address '$address' for interface '$3', setting $1 option..." >&2
    echo "-$1=$address"
  fi
}
bind=$(flag_for bind "$CONSUL_BIND" "$CONSUL_BIND_INTERFACE")
client=$(flag_for client "$CONSUL_CLIENT" "$CONSUL_CLIENT_INTERFACE")

if [ -n "$CONSUL_LOCAL_CONFIG" ]; then
  echo "$CONSUL_LOCAL_CONFIG" >"$config/local.json"
fi

# A flag, or any subcommand of consul, means consul itself; anything else is run as it stands.
case $1 in
  -*) set -- consul "$@" ;;
esac
if [ "$1" = agent ]; then
  shift
  # Unquoted: each is one flag or nothing.
  set -- consul agent -data-dir="$data" -config-dir="$config" $bind $client "$@"
elif [ "$1" = version ] || consul --help "$1" 2>&1 | grep -q "consul $1"; then
  set -- consul "$@"
fi

# As root, hand the folders over and step down. Without root this fails, so a pod that runs as
# 100:1000 has to set CONSUL_DISABLE_PERM_MGMT.
if [ "$1" = consul ] && [ -z "${CONSUL_DISABLE_PERM_MGMT+set}" ]; then
  uid=${CONSUL_UID:-$(id -u consul)}
  gid=${CONSUL_GID:-$(id -g consul)}
  for dir in "$data" "$config"; do
    if [ "$(stat -c %u "$dir")" != "$uid" ]; then chown "$uid:$gid" "$dir"; fi
  done
  set -- su-exec "$uid:$gid" "$@"
fi

exec "$@"
