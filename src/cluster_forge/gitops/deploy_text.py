"""The text of `deploy.sh`, block by block: POSIX shell that needs nothing but kubectl and the standard toolbox."""

from __future__ import annotations

OPTIONS = r"""
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
"""

CHECKS = r"""
k() { kubectl ${context:+--context "$context"} ${kubeconfig:+--kubeconfig "$kubeconfig"} "$@"; }

# Everything that can be known before the first change.
check_cluster() {
  command -v kubectl >/dev/null || give_up 3 'kubectl is not there: install it, or put it on PATH'
  answer=$(k get --raw /version 2>&1) || give_up 3 "the cluster cannot be reached: $answer"
  minor=$(printf '%s' "$answer" | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  check_version "${minor:-0}"
  check_permissions
}

check_version() {
  off=$(($1 - target_minor))
  if [ "$1" -ge 25 ] && [ "$off" -ge -1 ] && [ "$off" -le 1 ]; then
    [ "$off" -eq 0 ] || complain "the stack was made for Kubernetes 1.$target_minor; this cluster is 1.$1, which is near enough"
  elif [ -n "$force_version" ]; then
    complain "the stack was made for Kubernetes 1.$target_minor; going on with 1.$1 because of --force-version"
  else
    give_up 3 "the cluster is Kubernetes 1.$1, the stack was made for 1.$target_minor (at least 1.25, and not more than one \
minor apart): set target.kubernetes and forge again, or say --force-version"
  fi
}

# Nothing is ever asked where nobody can answer.
can_ask() { [ -n "$yes$dry_run$print" ] || [ -t 0 ] || give_up 2 'nobody can be asked here: say --yes to go ahead'; }

confirm() {
  server=$(k config view --minify -o 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null) || server='the cluster'
  say "stack $stack, $summary, to $server${context:+ (context $context)}"
  [ -z "$yes$dry_run" ] || return 0
  printf 'Deploy it? [y/N] '
  read -r answer || answer=''
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) give_up 1 'nothing was changed' ;;
  esac
}
"""

EVERYTHING = r"""
check_permissions() {
  k auth can-i '*' '*' --all-namespaces >/dev/null 2>&1 ||
    give_up 3 'you may not do everything in this cluster, and the stack needs it (kubectl auth can-i "*" "*" --all-namespaces): use the credentials of a cluster administrator'
}
"""

STEPS = r"""
# What goes away by itself: a webhook, an API or a namespace that is about to be there.
transient='failed calling webhook|no matches for kind|ensure CRDs are installed first|no endpoints available|connection refused|connection reset|currently unable to handle|ServiceUnavailable|i/o timeout|TLS handshake|etcdserver|deadline exceeded|namespaces? "[^"]*" not found|because it is being terminated'
# What a dry run cannot know, for the steps before it have changed nothing.
unknowable='no matches for kind|ensure CRDs are installed first|namespaces? "[^"]*" not found|does not support dry run|failed calling webhook|field is immutable'

verb=${dry_run:+tried}
verb=${verb:-applied}

now() { date +%s; }
expired() { [ "$(($(now) - $1))" -ge "$timeout" ]; }

# failed WHAT [NAMESPACE]: what went wrong and what the cluster said last; the end.
failed() {
  complain "$1"
  case ${2:--} in
    - | '<none>') set -- --all-namespaces ;;
    *) set -- -n "$2" ;;
  esac
  complain "the last events ($*):"
  { k get events "$@" --sort-by=.lastTimestamp 2>&1 || :; } | tail -n 15 >&2
  complain 'when that is mended, run deploy.sh again'
  exit 1
}

# put FILE BODY MANAGER: one call of kubectl apply; BODY, if there is one, in the place of the file.
put() {
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | k apply --server-side --force-conflicts --field-manager="$3" ${dry_run:+--dry-run=server} -f -
  else
    k apply --server-side --force-conflicts --field-manager="$3" ${dry_run:+--dry-run=server} -f "$1" </dev/null
  fi 2>&1
}

# apply FILE [BODY [MANAGER]]: tries again while the reason is one that goes away.
apply() {
  if [ -n "$print" ]; then
    say "  apply $1"
    return
  fi
  began=$(now) told=''
  until output=$(put "$1" "${2:-}" "${3:-cluster-forge}"); do
    reason=$(printf '%s\n' "$output" | grep -Ev 'serverside-applied|^Warning:' || :)
    if [ -n "$dry_run" ] && ! printf '%s\n' "$reason" | grep -Evq "$unknowable"; then
      say "not all of $1 can be tried before the steps ahead of it are done for real:"
      printf '%s\n' "$reason" | sed 's/^/    /'
      break
    fi
    case "$1 $reason" in
      *jobs.yaml*'field is immutable'*)
        say "making the Jobs of $1 anew: a Job cannot be changed"
        k delete --ignore-not-found -f "$1" >/dev/null
        ;;
      *)
        if ! printf '%s\n' "$reason" | grep -Eq "$transient" || [ -n "$dry_run" ] || expired "$began"; then
          failed "$1 cannot be applied: $reason"
        fi
        [ -n "$told" ] || say "trying $1 again (up to ${timeout}s): $reason"
        told=yes
        sleep 3
        ;;
    esac
  done
  printf '%s\n' "$output" | sed -n 's/^Warning: /    warning: /p'
  say "$verb $1 ($(printf '%s\n' "$output" | grep -c serverside-applied || :) objects)"
}

# established FILE: right after it was made, a definition may have no conditions yet, which kubectl wait takes for an error.
established() {
  if [ -n "$print" ]; then say "  wait until the definitions in $1 are established"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for the definitions in $1 to be established (up to ${timeout}s)"
  began=$(now)
  until output=$(k wait --for=condition=Established --timeout="${timeout}s" -f "$1" 2>&1); do
    if expired "$began"; then failed "not established: $output"; fi
    sleep 1
  done
}

columns='NAME:.metadata.name,IN:.metadata.namespace,COMPLETE:.status.conditions[?(@.type=="Complete")].status'
columns="$columns"',FAILED:.status.conditions[?(@.type=="Failed")].status,PHASE:.status.phase'

# finished ARGUMENT…: waits for the Jobs and Pods that kubectl get finds; one that has been cleaned up is done.
finished() {
  began=$(now)
  while :; do
    rows=$(k get "$@" --ignore-not-found --no-headers -o "custom-columns=$columns" 2>&1) || failed "$rows"
    pending='' where=''
    while read -r name in complete broken phase; do
      case "$broken/$phase" in True/* | */Failed) failed "$name failed" "$in" ;; esac
      case "$name/$complete/$phase" in /* | */True/* | */Succeeded) ;; *) pending="$pending $name" where=$in ;; esac
    done <<END
$rows
END
    [ -n "$pending" ] || return 0
    if expired "$began"; then failed "not done after ${timeout}s:$pending" "$where"; fi
    sleep 2
  done
}

# jobs FILE: runs hooks anew, as Helm's before-hook-creation does, and waits until they are done.
jobs() {
  if [ -n "$print" ]; then
    say "  run the Jobs in $1 anew, wait until they are done"
    return
  fi
  [ -n "$dry_run" ] || k delete --ignore-not-found -f "$1" >/dev/null
  apply "$1"
  [ -z "$dry_run" ] || return 0
  say "waiting for the Jobs in $1 to be done (up to ${timeout}s)"
  finished -f "$1"
}

# wait_for NAMESPACE KIND/NAME
wait_for() {
  if [ -n "$print" ]; then say "  wait for $2 in $1"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for $2 in $1 (up to ${timeout}s)"
  case $2 in
    job.*) finished "$2" -n "$1" ;;
    apiservice.*)
      output=$(k wait --for=condition=Available --timeout="${timeout}s" "$2" 2>&1) || failed "$2 does not answer: $output"
      ;;
    *)
      output=$(k rollout status -n "$1" "$2" --timeout="${timeout}s" 2>&1) ||
        case $output in
          *'only available for'*) ;; # updateStrategy OnDelete: kubectl cannot tell
          *) failed "$2 in $1 is not ready: $output" "$1" ;;
        esac
      ;;
  esac
}

# part FOLDER: one component, step by step.
part() {
  for file in "$1"/namespaces.yaml "$1"/crds.yaml "$1"/settings.yaml "$1"/hooks-pre-*.yaml "$1"/objects.yaml \
    "$1"/jobs.yaml "$1"/custom.yaml "$1"/project.yaml "$1"/wait "$1"/hooks-post-*.yaml; do
    [ -f "$file" ] || continue
    case $file in
      */crds.yaml)
        apply "$file"
        established "$file"
        ;;
      */settings.yaml) apply "$file" '' cluster-forge-settings ;;
      */hooks-*-jobs.yaml) jobs "$file" ;;
      */wait)
        while read -r where what; do
          wait_for "$where" "$what" </dev/null
        done <"$file"
        ;;
      *) apply "$file" ;;
    esac
  done
}
"""

DIRECT = r"""
deploy() {
  while read -r folder wave objects; do
    say "wave $wave: $folder ($objects objects)"
    part "$folder" </dev/null
  done <<'END'
{waves}
END
}
"""

MAIN = r"""
can_ask
cd "$(dirname "$0")" || exit 3
if [ -n "$print" ]; then
  say "stack $stack, $summary:"
else
  check_cluster
  confirm
fi
deploy
if [ -n "$print$dry_run" ]; then say 'nothing was changed'; else say "the stack $stack is deployed"; fi
"""
