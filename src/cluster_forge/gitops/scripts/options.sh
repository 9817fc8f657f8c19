# Usage, messages and options of deploy.sh.
# shellcheck shell=sh disable=SC2034,SC2154 # the variables are for the other parts; the head sets others

usage() {
  cat <<'END'
usage: sh deploy.sh [OPTION]…

  --context NAME           context of the kubeconfig (default: the current one)
  --kubeconfig FILE        kubeconfig file (default: kubectl's own)
  --namespace NAME         namespace of the Argo CD in the cluster (gitops.install: false)
  --timeout SECONDS        how long to wait for one object (default: 600)
  --dry-run                send everything to the API server, which checks it and stores nothing
  --print                  print the steps; needs no cluster
  --yes                    do not ask for confirmation
  --adopt                  take over objects in the cluster that are not of this stack
  --force-conflicts        take over fields that another manager has set (default: show them and stop)
  --recreate               delete objects with fields that cannot change, and create them again; volumes stay
  --force-version          deploy to a cluster of a Kubernetes version that the stack does not support
  --force-environment      replace the stack of another environment in the cluster
  --allow-missing-apis     deploy although the cluster does not serve a kind of the stack: an operator defines it later
  --allow-missing-secrets  deploy although a Secret that the stack expects does not exist yet
  --help                   print this text

Can be run again at any time: existing objects are kept or updated.
Exit codes: 0 done, 1 failed or not ready in time, 2 usage error, 3 the cluster cannot run the stack.
END
}

wanted_namespace='' context='' kubeconfig='' dry_run='' print='' yes='' timeout=600 scratch='' ended='' release=''
adopt='' recreate='' force_version='' force_environment='' force_conflicts='' allow_missing_apis='' allow_missing_secrets=''

# A closed output goes nowhere: a file that the script opens would take its place.
(: 3>&1) 2>/dev/null || exec >/dev/null
(: 3>&2) || exec 2>/dev/null

say() { printf '%s\n' "$*" 2>/dev/null || die 1 'cannot write to standard output; run deploy.sh again'; }
warn() { printf 'deploy.sh: %s\n' "$*" >&2 || :; }
now() { date +%s; }
# counted NUMBER WORD: 1 object, 2 objects.
counted() { if [ "$1" -eq 1 ]; then printf '1 %s' "$2"; else printf '%s %ss' "$1" "$2"; fi; }
# die CODE MESSAGE: exits before the first change.
die() {
  code=$1 ended=yes
  shift
  warn "$*"
  exit "$code"
}

# Every way out has one of the four exit codes and a message.
leave() {
  code=$?
  trap '' HUP INT PIPE TERM
  [ -z "$scratch" ] || rm -rf "$scratch"
  [ -z "$ended" ] || exit "$code"
  warn "ended unexpectedly (exit code $code): run deploy.sh again" || :
  exit 1
}
interrupted() {
  ended=yes
  [ -z "$print" ] || exit 1
  warn "interrupted by $1; run deploy.sh again to finish the deployment" || :
  exit 1
}
trap leave EXIT
trap 'interrupted SIGHUP' HUP
trap 'interrupted SIGINT' INT
trap 'interrupted SIGPIPE' PIPE
trap 'interrupted SIGTERM' TERM

# once VALUE: where the deployment goes is said once; the last one of two would win silently.
once() { [ -z "$1" ] || [ "$1" = "$value" ] || die 2 "$option is there twice: $1 and $value"; }

while [ $# -gt 0 ]; do
  case $1 in
    --context=* | --kubeconfig=* | --namespace=* | --timeout=*)
      value=${1#*=} option=${1%%=*}
      ;;
    --context | --kubeconfig | --namespace | --timeout)
      [ $# -gt 1 ] || die 2 "$1 needs a value (--help lists the options)"
      value=$2 option=$1
      shift
      case $value in -*) die 2 "$option needs a value, not the option $value: is a variable unset?" ;; esac
      ;;
    *) value='' option=$1 ;;
  esac
  shift
  case $option in
    --context | --kubeconfig | --namespace | --timeout)
      [ -n "$value" ] || die 2 "$option is empty: give it a value (is a variable unset?), or leave it out"
      ;;
  esac
  case $option in
    --context) once "$context" && context=$value ;;
    --kubeconfig) once "$kubeconfig" && kubeconfig=$value ;;
    --namespace) once "$wanted_namespace" && wanted_namespace=$value ;;
    --timeout) timeout=${value%s} ;;
    --dry-run) dry_run=yes ;;
    --print) print=yes ;;
    --yes | -y) yes=yes ;;
    --adopt) adopt=yes ;;
    --force-conflicts) force_conflicts=yes ;;
    --recreate) recreate=yes ;;
    --force-version) force_version=yes ;;
    --force-environment) force_environment=yes ;;
    --allow-missing-apis) allow_missing_apis=yes ;;
    --allow-missing-secrets) allow_missing_secrets=yes ;;
    --help | -h)
      usage
      ended=yes
      exit 0
      ;;
    *) die 2 "unknown option $option (--help lists the options)" ;;
  esac
done
case $timeout in
  '' | *[!0-9]* | ???????*) die 2 "--timeout needs a number of seconds from 0 to 999999, not '$timeout'" ;;
esac
while [ "$timeout" != "${timeout#0?}" ]; do timeout=${timeout#0}; done # 010 is octal in arithmetic
if [ -z "$kubeconfig$print" ] && [ -z "${KUBECONFIG-unset}" ]; then
  die 2 'KUBECONFIG is empty: is a variable unset? unset KUBECONFIG for the default file, or pass --kubeconfig FILE'
fi
case $wanted_namespace in
  *[!a-z0-9-]*) die 2 "--namespace needs the name of a namespace, not '$wanted_namespace'" ;;
esac
