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

# choose_cluster [kind|bed]: sets CLUSTER to `kind`, `bed`, or `own` for that of KUBECONFIG, and WHY. A word forces one of them.
choose_cluster() {
  case ${1:-} in
    kind)
      if WHY=$(no_kind); then die "kind cannot be taken: $WHY" 'script/demo --bed takes the test bed, KUBECONFIG any other cluster'; fi
      CLUSTER=kind WHY=--kind
      ;;
    bed) CLUSTER=bed WHY=--bed ;;
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
