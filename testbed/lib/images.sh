# The images' recipes.
# shellcheck shell=bash

# with_libraries PROGRAM ROOT: a Debian program with the libraries it loads.
with_libraries() {
  local library
  mkdir -p "$2/usr/bin"
  cp "$(readlink -f "$(command -v "$1")")" "$2/usr/bin/$1"
  ldd "$2/usr/bin/$1" | awk '/=> \// { print $3 } /^\t\// { print $1 }' | while read -r library; do
    mkdir -p "$2$(dirname "$library")"
    cp -nL "$library" "$2$library"
  done
}

with_busybox() { # ROOT
  local applet
  mkdir -p "$1/bin" "$1/tmp" "$1/etc"
  chmod 1777 "$1/tmp"
  cp /bin/busybox "$1/bin/busybox"
  for applet in $(/bin/busybox --list); do
    # It lists itself; a link to itself would replace it. Static, these two crash where libc's
    # name service modules are missing; the image has curl.
    case $applet in busybox | wget | nslookup) ;; *) ln -sf busybox "$1/bin/$applet" ;; esac
  done
}

# consul_root PROGRAM ROOT: paths, users and entry point of docker.io/hashicorp/consul.
consul_root() {
  with_busybox "$2"
  with_libraries curl "$2"
  with_libraries dumb-init "$2"
  mkdir -p "$2"/consul/{data,config} "$2/usr/local/bin" "$2/sbin" "$2/home/consul"
  cp "$BIN/$1" "$2/bin/consul"
  cp "$BIN/su-exec" "$2/sbin/su-exec"
  cp "$TESTBED/images/docker-entrypoint.sh" "$2/usr/local/bin/"
  printf 'root:x:0:0:root:/root:/bin/sh\nconsul:x:100:1000:consul:/home/consul:/sbin/nologin\n' >"$2/etc/passwd"
  printf 'root:x:0:\nconsul:x:1000:\n' >"$2/etc/group"
  echo 'hosts: files dns' >"$2/etc/nsswitch.conf"
}

image_name() {
  case $1 in
    consul | consul-previous) echo "docker.io/hashicorp/consul:$(version_of github.com/hashicorp/consul "$1" | tr -d v)" ;;
    *) echo "localhost/$1:1" ;;
  esac
}

image_config() {
  local path='"Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]'
  case $1 in
    consul | consul-previous)
      echo "{\"Entrypoint\": [\"docker-entrypoint.sh\"], \"Cmd\": [\"agent\", \"-dev\", \"-client\", \"0.0.0.0\"], \"Volumes\": {\"/consul/data\": {}}, $path}"
      ;;
    *) echo "{\"Entrypoint\": [\"/$1\"]}" ;;
  esac
}

build_image() {
  local root=$BED/rootfs hash
  hash=$({
    cat "$BED/stamps/$1" "$TESTBED/lib/images.sh" "$TESTBED/images/image.py" "$TESTBED/tools/consul"*/go.mod
    case $1 in consul*) cat "$BED/stamps/su-exec" "$TESTBED/images/docker-entrypoint.sh" /bin/busybox "$(command -v curl)" "$(command -v dumb-init)" ;; esac
  } | hash_of)
  if fresh "image-$1" "$hash" "$BED/images/$1.tar"; then return 0; fi
  say "packing image $(image_name "$1")"
  rm -rf "$root"
  mkdir -p "$root" "$BED/images"
  case $1 in
    consul | consul-previous) consul_root "$1" "$root" ;;
    *) cp "$BIN/$1" "$root/$1" ;;
  esac
  python3 "$TESTBED/images/image.py" "$(image_name "$1")" "$root" "$(go env GOARCH)" "$BED/images/$1.tar" "$(image_config "$1")"
  rm -rf "$root"
  stamp "image-$1" "$hash"
}

# build_template IMAGE...: a containerd folder with these images, which every node hard-links.
build_template() {
  local hash image dir=$BED/template.new log=$BED/build-template.log pid
  hash=$({ for image in "$@"; do cat "$BED/stamps/image-$image"; done; containerd --version; } | hash_of)
  if fresh template "$hash" "$BED/template"; then return 0; fi
  say 'importing the images'
  rm -rf "$dir" "$dir-run" "$BED/stamps/template"
  mkdir -p "$dir" "$dir-run"
  cat >"$dir-run/config.toml" <<X
version = 2
root = "$dir"
state = "$dir-run"
oom_score = 0
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "$dir-run/c.sock"
X
  containerd -c "$dir-run/config.toml" >"$log" 2>&1 &
  pid=$!
  # shellcheck disable=SC2064
  trap "kill -KILL $pid 2>/dev/null" EXIT
  wait_for 'containerd, to import the images' 30 "$log" ctr -a "$dir-run/c.sock" version || exit 1
  for image in "$@"; do
    ctr -a "$dir-run/c.sock" -n k8s.io images import "$BED/images/$image.tar" >>"$log" 2>&1 ||
      { tail_of "$log"; die "containerd did not take the image $(image_name "$image")"; }
  done
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  trap - EXIT
  rm -rf "$BED/template" "$dir-run"
  mv "$dir" "$BED/template"
  stamp template "$hash"
}
