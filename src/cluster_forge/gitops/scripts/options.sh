# Usage, messages and options of deploy.sh.
# shellcheck shell=sh disable=SC2034 # the variables are for the other parts

usage() {
  cat <<'END'
usage: sh deploy.sh [OPTION]…

  --context NAME      context of the kubeconfig (default: the current one)
  --kubeconfig FILE   kubeconfig file (default: kubectl's own)
  --namespace NAME    namespace of the Argo CD in the cluster (gitops.install: false)
  --timeout SECONDS   how long to wait for one object (default: 600)
  --dry-run           send everything to the API server, which checks it and stores nothing
  --print             print the steps; needs no cluster
  --yes               do not ask for confirmation
  --adopt             take over objects in the cluster that are not of this stack
  --force-version     deploy to a cluster of a Kubernetes version that the stack does not support
  --help              print this text

Can be run again at any time: existing objects are kept or updated.
Exit codes: 0 done, 1 failed or not ready in time, 2 usage error, 3 the cluster cannot run the stack.
END
}

wanted_namespace='' context='' kubeconfig='' dry_run='' print='' yes='' adopt='' force_version='' timeout=600

say() { printf '%s\n' "$*"; }
warn() { printf 'deploy.sh: %s\n' "$*" >&2; }
die() {
  code=$1
  shift
  warn "$*"
  exit "$code"
}

while [ $# -gt 0 ]; do
  case $1 in
    --context=* | --kubeconfig=* | --namespace=* | --timeout=*)
      value=${1#*=} option=${1%%=*}
      ;;
    --context | --kubeconfig | --namespace | --timeout)
      [ $# -gt 1 ] || die 2 "$1 needs a value (--help lists the options)"
      value=$2 option=$1
      shift
      ;;
    *) value='' option=$1 ;;
  esac
  shift
  case $option in
    --context) context=$value ;;
    --kubeconfig) kubeconfig=$value ;;
    --namespace) wanted_namespace=$value ;;
    --timeout) timeout=${value%s} ;;
    --dry-run) dry_run=yes ;;
    --print) print=yes ;;
    --yes | -y) yes=yes ;;
    --adopt) adopt=yes ;;
    --force-version) force_version=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) die 2 "unknown option $option (--help lists the options)" ;;
  esac
done
case $timeout in
  '' | *[!0-9]*) die 2 "--timeout needs a number of seconds, not '$timeout'" ;;
esac
