"""The text of `deploy.sh`, block by block: POSIX shell that needs nothing but kubectl and the standard tools."""

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

GIT_SERVER = r"""
# The repository and the server that Argo CD reads it from.
repository() {
  say 'the Git server and its repository'
  server=''
  [ -n "$image_known$print" ] || server=$(with_image bootstrap/git-server-deployment.yaml)
  apply bootstrap/git-server.yaml
  for file in bootstrap/repository-*.yaml; do
    apply "$file"
  done
  apply bootstrap/git-server-deployment.yaml "$server"
  wait_for cluster-forge "deployment.apps/$git_server"
  [ -z "$print$dry_run" ] || return 0
  k delete configmap -n cluster-forge -l "cluster-forge/stack=$stack,cluster-forge/commit!=$commit" >/dev/null
}

# with_image FILE: the Deployment with the image that the cluster's Argo CD runs from.
with_image() {
  image=$(k get deployments,statefulsets -n "$namespace" -l app.kubernetes.io/part-of=argocd --no-headers \
    -o 'custom-columns=A:.metadata.labels.app\.kubernetes\.io/component,B:.spec.template.spec.containers[0].image' |
    sed -n 's/^repo-server  *//p')
  [ -n "$image" ] || give_up 3 "Argo CD's repository server, whose image the Git server runs from, is not in the namespace $namespace (--namespace NAME)"
  k set image --local -f "$1" "unpack=$image" "serve=$image" -o yaml
}
"""

INSTALL = r"""
deploy() {
  say "Argo CD in the namespace $namespace"
  part bootstrap/argocd
  {repository}
  root_application
}
"""

EXISTING = r"""
check_permissions() {
  for what in applications.argoproj.io deployments.apps configmaps namespaces; do
    k auth can-i create "$what" --all-namespaces >/dev/null 2>&1 || give_up 3 "you may not create $what in this cluster"
  done
  k get crd applications.argoproj.io >/dev/null 2>&1 ||
    give_up 3 'there is no Argo CD in this cluster: install it, or set gitops.install: true and cast again'
  health=$(k get configmap argocd-cm -n "$namespace" --ignore-not-found \
    -o 'jsonpath={.data.resource\.customizations\.health\.argoproj\.io_Application}' 2>/dev/null) || health=''
  [ -n "$health" ] || complain "argocd-cm in $namespace has no resource.customizations.health.argoproj.io_Application: Argo CD will not keep the order of the waves"
}

deploy() {
  {repository}
  root_application
}
"""

ROOT = r"""
columns_of_applications='NAME:.metadata.name,WANTED:.spec.source.targetRevision,SEEN:.status.sync.comparedTo.source.targetRevision'
columns_of_applications="$columns_of_applications"',SYNC:.status.sync.status,HEALTH:.status.health.status,PHASE:.status.operationState.phase'

# states: one line for each Application of the stack.
states() {
  k get applications.argoproj.io -n "$namespace" -l "cluster-forge/stack=$stack" --no-headers \
    -o "custom-columns=$columns_of_applications" 2>/dev/null || :
}
patch() { k patch applications.argoproj.io "$1" -n "$namespace" --type=merge -p "$2" >/dev/null || :; }

# Argo CD looks at a new revision only when the operation on the old one is over, and does not try a revision again
# by itself once its sync has failed for good.
settle() {
  rows=$(states)
  while read -r name wanted _ _ _ phase; do
    case "$wanted $phase" in
      "$revision Failed" | "$revision Error")
        say "starting the sync of $name again"
        options=$(k get applications.argoproj.io "$name" -n "$namespace" -o 'jsonpath={.spec.syncPolicy.syncOptions}')
        patch "$name" '{"operation":{"initiatedBy":{"username":"deploy.sh"},"sync":{"prune":true,"revision":"'"$revision"'","syncOptions":'"${options:-[]}"'}}}'
        ;;
      "$revision Running" | ' ') ;;
      *' Running')
        say "ending the sync of $name at $wanted"
        patch "$name" '{"status":{"operationState":{"phase":"Terminating"}}}'
        ;;
    esac
  done <<END
$rows
END
}

root_application() {
  say "the root Application $root at $revision"
  body=''
  if [ -z "$print$dry_run" ]; then settle; fi
  if [ -z "$print$namespace_known" ]; then
    body=$(k patch --local -f bootstrap/root.yaml --type=merge -o yaml \
      -p '{"metadata":{"namespace":"'"$namespace"'"},"spec":{"destination":{"namespace":"'"$namespace"'"}}}')
  fi
  apply bootstrap/root.yaml "$body"
  if [ -n "$print" ]; then say "  wait until the Application $root and all that it holds are synced and healthy"; fi
  [ -z "$print$dry_run" ] || return 0
  refresh "$root"
  watch
}

# What Argo CD remembers of the repository, for three minutes, may be older than the new tag.
refresh() { k annotate applications.argoproj.io "$1" -n "$namespace" --overwrite argocd.argoproj.io/refresh=hard >/dev/null || :; }

# What Argo CD says of the Applications, each on one line that is not too long.
complaints() {
  k get applications.argoproj.io -n "$namespace" -l "cluster-forge/stack=$stack" --no-headers \
    -o 'custom-columns=NAME:.metadata.name,SAYS:.status.operationState.message,CONDITIONS:.status.conditions[*].message' |
    sed -e 's/   */: /' -e 's/   */; /g' -e 's/; <none>$//' | grep -v ': successfully synced[^;]*$' | cut -c 1-500 >&2 || :
}

watch() {
  say "waiting for the Application $root to be synced and healthy (up to ${timeout}s without progress)"
  began=$(now) asked=$began best=0 told=''
  while :; do
    rows=$(states) pending='' done='' ready=0 unknown=''
    while read -r name wanted seen sync health _; do
      case "$name $wanted $seen $sync $health" in
        "$root $revision $revision Synced Healthy") done=yes ;;
        *" $revision $revision Synced Healthy") ready=$((ready + 1)) ;;
        "$root "*Unknown*) unknown=yes ;;
        "$root "* | ' '*) ;;
        *" $revision "*) pending="$pending $name ($sync, $health)" ;;
        *) pending="$pending $name (at $wanted)" ;;
      esac
    done <<END
$rows
END
    if [ -n "$done" ]; then return 0; fi
    if [ "$ready" -gt "$best" ]; then began=$(now) best=$ready; fi
    if [ "$told" != "$ready$pending" ]; then
      say "  $ready Applications are ready${pending:+, not yet:$pending}"
      told=$ready$pending
    fi
    if expired "$began"; then
      complaints
      failed "the Application $root is not synced and healthy; not ready:${pending:- the root itself}"
    fi
    if [ -n "$unknown" ] && [ "$(($(now) - asked))" -ge 15 ]; then
      asked=$(now)
      refresh "$root"
    fi
    sleep 3
  done
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
