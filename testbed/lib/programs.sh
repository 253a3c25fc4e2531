# The programs: what each is built from, and what it takes.
# shellcheck shell=bash disable=SC2034

# The programs of the cluster. A lane is built from left to right: kubectl and CoreDNS share most packages with Kubernetes.
LANES=('kubernetes kubectl coredns' 'etcd consul')
PROGRAMS=${LANES[*]}
# Those only tests want, and with `pause` and `su-exec` the small ones that are ours.
TOOLS='act actionlint age helm'

# Images of the cluster, and the one that only some tests want.
IMAGES='pause coredns consul'
MORE_IMAGES='consul-previous'

package_of() {
  case $1 in
    kubernetes | coredns | pause | su-exec) echo . ;;
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
    pause | su-exec) echo "$TESTBED/images/$1" ;;
    *) echo "$TESTBED/tools/$1" ;;
  esac
}

# work_of PROGRAM: how much work its first build is, in seconds of one machine of two processors, and how many Go packages it
# compiles in that time, beyond those that its lane or Go's library has compiled by then. Only the shares matter.
work_of() {
  case $1 in
    kubernetes) echo 318 2546 ;;
    kubectl) echo 20 194 ;;
    etcd) echo 29 450 ;;
    consul) echo 172 1660 ;;
    consul-previous) echo 85 900 ;;
    coredns) echo 10 96 ;;
    helm) echo 100 943 ;;
    act) echo 30 347 ;;
    pause | su-exec) echo 1 5 ;;
    *) echo 10 37 ;;
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

# A quarter of Consul's code is the SDKs by which `retry_join` finds servers in a cloud. There is none here, so its
# map of clouds is left without them; `retry_join` by address, by DNS and by `provider=k8s` is as it was.
CLOUDS='aliyun|aws|azure|digitalocean|gce|hcp|linode|os|packet|scaleway|softlayer|tencentcloud|triton|vsphere'

# without_clouds PROGRAM: makes a go.mod that has the library without the clouds, and prints its path.
without_clouds() {
  local module=github.com/hashicorp/go-discover work=$BED/without-clouds/$1 original
  set -e # a shell for a $(...) forgets it
  cd "$(folder_of "$1")"
  go mod download "$module"
  original=$(go list -m -f '{{.Dir}}' "$module")
  rm -rf "$work"
  mkdir -p "$work"
  cp -r "$original" "$work/go-discover"
  chmod -R u+w "$work"
  grep -vE "provider/($CLOUDS)\"|&($CLOUDS)\.Provider" "$original/discover.go" >"$work/go-discover/discover.go"
  cp go.mod go.sum "$work/"
  go mod edit -replace "$module=$work/go-discover" "$work/go.mod"
  echo "$work/go.mod"
}

# The linker would drop what debuggers want (-w): the compiler need not make it, which saves a seventh of its time.
GCFLAGS=all=-dwarf=false

# go_build PROGRAM: in place of this shell. Its log names each package once it is compiled.
go_build() {
  # Without -trimpath: it would tell a library that another one replaces from that one itself, and compile both.
  local options=(-v -buildvcs=false -gcflags "$GCFLAGS" -ldflags "$(ldflags_of "$1")") modfile
  export GOFLAGS=-mod=readonly CGO_ENABLED=0 GOTMPDIR=$BUILDING
  case $1 in
    consul*)
      modfile=$(without_clouds "$1")
      options+=("-modfile=$modfile")
      ;;
  esac
  # A quarter of a compiler's time goes into taking back memory that it soon gives back anyway. The limit is for the linker.
  if memory_to_waste; then export GOGC=${GOGC:-off} GOMEMLIMIT=${GOMEMLIMIT:-3GiB}; fi
  cd "$(folder_of "$1")"
  # A session of its own, so that all of its compilers can be ended at once. And it ends with us.
  exec setsid setpriv --pdeathsig KILL go build "${options[@]}" -o "$BUILDING/$1" "$(package_of "$1")"
}

program_hash() {
  local dir
  dir=$(folder_of "$1")
  {
    echo "$GO_VERSION $GCFLAGS $(package_of "$1") $(ldflags_of "$1")"
    case $1 in consul*) echo "$CLOUDS" ;; esac
    cat "$dir"/go.mod "$dir"/go.sum "$dir"/*.go 2>/dev/null || true
  } | hash_of
}
