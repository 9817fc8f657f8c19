# Usage, messages and options of deploy.sh.
# shellcheck shell=sh disable=SC2034 # the variables are for the other parts

usage() {
  cat <<'END'
usage: sh deploy.sh [OPTION]…

  --context NAME      the kubeconfig's context (default: the current one)
  --kubeconfig FILE   the kubeconfig (default: as kubectl finds it)
  --namespace NAME    the namespace of an Argo CD that is there already
  --timeout SECONDS   how long to wait for one thing (default: 600)
  --dry-run           send everything to the API server, which checks it and keeps nothing
  --print             say what would be done; needs no cluster
  --yes               do not ask before the first change
  --force-version     go on although the cluster's version is not the one that the stack was made for
  --help              this text

May be run again at any time: what is there already stays or is brought up to date.
Exit codes: 0 done, 1 something failed or was not ready in time, 2 wrong usage, 3 the cluster is not fit for it.
END
}

wanted_namespace='' context='' kubeconfig='' dry_run='' print='' yes='' force_version='' timeout=600

say() { printf '%s\n' "$*"; }
complain() { printf 'deploy.sh: %s\n' "$*" >&2; }
give_up() {
  code=$1
  shift
  complain "$*"
  exit "$code"
}

while [ $# -gt 0 ]; do
  case $1 in
    --context=* | --kubeconfig=* | --namespace=* | --timeout=*)
      value=${1#*=} option=${1%%=*}
      ;;
    --context | --kubeconfig | --namespace | --timeout)
      [ $# -gt 1 ] || give_up 2 "$1 needs a value (--help shows all options)"
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
    --force-version) force_version=yes ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) give_up 2 "there is no option $option (--help shows all)" ;;
  esac
done
case $timeout in
  '' | *[!0-9]*) give_up 2 "--timeout takes seconds, not '$timeout'" ;;
esac
