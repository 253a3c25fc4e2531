# Which cluster the demo runs on.
# shellcheck shell=bash

# no_kind: why kind cannot be taken here; fails where it can.
no_kind() {
  if ! command -v docker >/dev/null; then
    echo 'there is no Docker'
  elif ! docker info >/dev/null 2>&1; then
    echo 'Docker does not answer'
  elif ! command -v kubectl >/dev/null; then
    echo 'Docker answers, but kubectl is missing'
  elif ! command -v kind >/dev/null && ! command -v go >/dev/null; then
    echo 'Docker answers, but there is no kind, and no Go to build it'
  else
    return 1
  fi
}

# choose_cluster [kind|bed|own]: sets CLUSTER to `kind`, `bed`, or `own` for that of KUBECONFIG, and WHY. A word forces one of
# them; without it, `own` still has to be agreed to: agree_to_own.
choose_cluster() {
  case ${1:-} in
    kind)
      if WHY=$(no_kind); then die "kind cannot be taken: $WHY" 'script/demo --bed takes the test bed, --own the cluster of KUBECONFIG'; fi
      CLUSTER=kind WHY=--kind
      ;;
    bed) CLUSTER=bed WHY=--bed ;;
    own)
      [ "${KUBECONFIG:-}" ] || die '--own takes the cluster of KUBECONFIG, which is not set' 'export KUBECONFIG=…'
      CLUSTER=own WHY=--own
      ;;
    *)
      if [ "${KUBECONFIG:-}" ]; then
        CLUSTER=own WHY=KUBECONFIG
      elif WHY=$(no_kind); then
        CLUSTER=bed
      else
        CLUSTER=kind WHY='Docker answers'
      fi
      ;;
  esac
}

# is_terminal: whether there is somebody to ask.
is_terminal() { [ -t 0 ]; }

# agree_to_own NAMESPACE: shows which cluster KUBECONFIG names, and goes on only where somebody wants that one: by --own, or when
# asked. It may be anybody's, and be set for other work. Sets CONTEXT, needs KUBECTL.
agree_to_own() {
  local server answer=''
  CONTEXT=$("$KUBECTL" config current-context 2>/dev/null) && [ "$CONTEXT" ] ||
    die "KUBECONFIG=$KUBECONFIG has no current context" 'kubectl config use-context sets it; script/demo --kind and --bed take another cluster'
  server=$("$KUBECTL" config view --minify -o 'jsonpath={.clusters[0].cluster.server}')
  printf 'KUBECONFIG names the context %s, the API server %s.\n' "$(one_line "$CONTEXT")" "$(one_line "$server")"
  if [ "$WHY" = --own ]; then return; fi
  if is_terminal; then
    printf 'Deploy three servers and ten clients there, in namespace %s, and remove them again? [y/N] ' "$1"
    read -r answer || true
  fi
  case $answer in
    y | Y | yes) ;;
    *) die 'nothing was done: the cluster of KUBECONFIG is taken only when somebody says so' 'script/demo --own says so; --kind and --bed take another cluster' ;;
  esac
}

# one_line TEXT: as it may be shown.
one_line() { printf '%s' "${1//[[:cntrl:]]/?}"; }

# as_glob TEXT: the glob that matches this text alone, for `expect-cluster`.
as_glob() { printf '%s' "$1" | sed 's/[][*?{}()!\\]/\\&/g'; }
