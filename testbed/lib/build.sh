# The build: programs from Go modules, images from programs, one containerd folder from the images.
# Each result is kept with a hash of all that went into it, and made again only if that changed.
# shellcheck shell=bash

# The programs of the cluster, and those only tests want.
PROGRAMS='kubernetes kubectl etcd coredns consul consul-previous'
TOOLS='act actionlint age helm'
IMAGES='pause coredns consul consul-previous'

package_of() {
  case $1 in
    kubernetes | coredns) echo . ;;
    kubectl) echo k8s.io/kubernetes/cmd/kubectl ;;
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    consul | consul-previous) echo github.com/hashicorp/consul ;;
    act) echo github.com/nektos/act ;;
    actionlint) echo github.com/rhysd/actionlint/cmd/actionlint ;;
    age) echo filippo.io/age/cmd/age ;;
    helm) echo helm.sh/helm/v4/cmd/helm ;;
    *) return 1 ;;
  esac
}

# The folder of its go.mod.
folder_of() {
  case $1 in
    kubectl) echo "$TESTBED/tools/kubernetes" ;;
    *) echo "$TESTBED/tools/$1" ;;
  esac
}

# How long a first build takes on two processors, for those who wait.
cold_time_of() {
  case $1 in
    kubernetes) echo 8 min ;;
    consul) echo 6 min ;;
    consul-previous) echo 3 min ;;
    coredns) echo 2 min ;;
    *) echo 40 s ;;
  esac
}

version_of() { # MODULE PROGRAM
  sed -n "s#^\(require \)\?[[:space:]]*$1 \(v[^ ]*\).*#\2#p" "$(folder_of "$2")/go.mod" | head -n 1
}

ldflags_of() {
  local flags='-s -w' version minor package
  if [ "$1" = kubernetes ] || [ "$1" = kubectl ]; then
    # Kubernetes reads its own version from variables that its release build sets.
    version=$(version_of k8s.io/kubernetes kubernetes)
    minor=$(cut -d. -f2 <<<"$version")
    for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
      flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor -X $package.gitTreeState=clean"
    done
  fi
  echo "$flags"
}

hash_of() { sha256sum | cut -d ' ' -f 1; }

# fresh WHAT HASH RESULT: is the kept result of these very ingredients there?
fresh() { [ -e "$3" ] && [ "$(cat "$BED/stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { echo "$2" >"$BED/stamps/$1"; }

# go_build NAME FOLDER PACKAGE LDFLAGS: in the background, with a line now and then.
go_build() {
  local log=$BED/build-$1.log started=$SECONDS pid next=20
  say "building $1 … (about $(cold_time_of "$1") the first time on 2 processors)"
  (cd "$2" && GOFLAGS=-mod=readonly CGO_ENABLED=0 exec go build -buildvcs=false -trimpath -ldflags "$4" -o "$BIN/.$1.new" "$3") >"$log" 2>&1 &
  pid=$!
  # shellcheck disable=SC2064
  trap "kill $pid 2>/dev/null" EXIT
  while kill -0 "$pid" 2>/dev/null; do
    if [ $((SECONDS - started)) -ge "$next" ]; then
      say "building $1 … $((SECONDS - started)) s"
      next=$((next + 20))
    fi
    sleep 0.2
  done
  trap - EXIT
  if ! wait "$pid"; then
    tail_of "$log" 20
    die "could not build $1" 'Go modules come from GOPROXY; is it reachable?'
  fi
  # Renamed into place: a running cluster keeps the file it has open.
  mv -f "$BIN/.$1.new" "$BIN/$1"
  say "built $1 in $((SECONDS - started)) s"
}

build_program() {
  local dir package flags hash name
  dir=$(folder_of "$1")
  package=$(package_of "$1") || die "unknown program '$1'" "there are: $PROGRAMS $TOOLS"
  flags=$(ldflags_of "$1")
  hash=$({ echo "$GO_VERSION $package $flags"; cat "$dir"/go.mod "$dir"/go.sum "$dir"/*.go 2>/dev/null || true; } | hash_of)
  if ! fresh "$1" "$hash" "$BIN/$1"; then
    go_build "$1" "$dir" "$package" "$flags"
    stamp "$1" "$hash"
  fi
  if [ "$1" = kubernetes ]; then
    for name in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet; do
      ln -sfn kubernetes "$BIN/$name"
    done
  fi
}

build_helper() { # pause, su-exec
  local dir=$TESTBED/images/$1 hash
  hash=$({ echo "$GO_VERSION"; cat "$dir"/*; } | hash_of)
  if ! fresh "$1" "$hash" "$BIN/$1"; then
    go_build "$1" "$dir" . '-s -w'
    stamp "$1" "$hash"
  fi
}
