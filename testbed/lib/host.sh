# What the bed needs of the machine and what it changes there.
# shellcheck shell=bash

need_root_on_linux() {
  local other='any other cluster does as well: set KUBECONFIG to one made by kind, k3d or minikube'
  [ "$(uname -s)" = Linux ] || die "the test bed needs Linux (this is $(uname -s))" "$other"
  [ "$(id -u)" = 0 ] || die 'the test bed needs root: it makes network namespaces, mounts and cgroups' "run it with sudo, or $other"
  [[ $IP_FAMILY =~ ^ipv[46]$ ]] || die "TESTBED_IP_FAMILY is '$IP_FAMILY'; it may be ipv4 or ipv6"
  [ "$NODES" -ge 1 ] && [ "$NODES" -le 9 ] || die "TESTBED_NODES is $NODES; 1 to 9 is allowed"
  [ "${#NAME}" -le 8 ] || die "TESTBED_NAME is '$NAME'; it may have at most 8 letters"
}

# PROGRAM PACKAGE: a package is wanted only where its program is missing, because the package of one
# program may push out another one's (Debian's containerd and Docker's containerd.io exclude each other).
PACKAGES='containerd containerd
runc runc
/usr/lib/cni/ptp containernetworking-plugins
iptables iptables
conntrack conntrack
ip iproute2
ipset ipset
socat socat
openssl openssl
/bin/busybox busybox-static
dumb-init dumb-init
curl curl
tcpdump tcpdump
python3 python3
modprobe kmod
sysctl procps
flock util-linux
mount mount'

missing_packages() {
  local program package
  while read -r program package; do
    command -v "$program" >/dev/null || echo "$package"
  done <<<"$PACKAGES"
}

install_packages() {
  local packages policy=/usr/sbin/policy-rc.d log
  packages=$(missing_packages | tr '\n' ' ')
  if [ -z "$packages" ]; then return 0; fi
  command -v apt-get >/dev/null || die "missing packages: $packages" 'install them; apt-get is not here to do it'
  say "installing Debian packages: $packages"
  log=$BED/packages.log
  # No service of these packages may start: the bed runs its own containerd beside the machine's.
  # https://manpages.debian.org/bookworm/invoke-rc.d/invoke-rc.d.8.en.html
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n# consul-deploy testbed\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    # shellcheck disable=SC2064
    trap "rm -f $policy" EXIT
  fi
  # shellcheck disable=SC2086
  if ! { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends --no-remove install $packages; } >"$log" 2>&1 9>&-; then
    tail_of "$log"
    die "apt-get could not install: $packages" "see $log"
  fi
  if [ "$(head -n 2 "$policy" 2>/dev/null | tail -n 1)" = '# consul-deploy testbed' ]; then
    rm -f "$policy"
    trap - EXIT
  fi
  # Nor at the next boot, if it was us who brought it.
  if [[ " $packages " == *' containerd '* ]] && command -v systemctl >/dev/null; then
    systemctl disable containerd.service >>"$log" 2>&1 || true
  fi
}

# Kernel settings that outlive the bed: our own (inotify: three kubelets and some forty containers
# need more than the usual 128), and those that a kubelet sets when it starts
# (https://kubernetes.io/docs/reference/command-line-tools-reference/kubelet/, protect-kernel-defaults).
SYSCTLS='fs.inotify.max_user_instances vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes'
INOTIFY_INSTANCES=1024

save_sysctls() {
  local key
  # What a killed run saved is still the truth; what is set now is not.
  if [ -s "$STATE/sysctls" ]; then return 0; fi
  for key in $SYSCTLS; do
    printf '%s=%s\n' "$key" "$(sysctl -n "$key")"
  done >"$STATE/sysctls.new"
  mv "$STATE/sysctls.new" "$STATE/sysctls"
}

set_sysctls() {
  if [ "$(sysctl -n fs.inotify.max_user_instances)" -lt "$INOTIFY_INSTANCES" ]; then
    sysctl -qw "fs.inotify.max_user_instances=$INOTIFY_INSTANCES"
  fi
}

changed_sysctls() {
  local key value
  if [ ! -s "$STATE/sysctls" ]; then return 0; fi
  while IFS='=' read -r key value; do
    [ "$(sysctl -n "$key")" = "$value" ] || echo "$key=$value"
  done <"$STATE/sysctls"
}

restore_sysctls() {
  local setting
  for setting in $(changed_sysctls); do sysctl -qw "$setting" || true; done
}

load_modules() {
  local module
  # Built into some kernels, and not needed by all: a node says in its log what it misses.
  for module in overlay nf_conntrack ip_tables veth bridge; do
    modprobe -q "$module" 2>/dev/null || true
  done
}
