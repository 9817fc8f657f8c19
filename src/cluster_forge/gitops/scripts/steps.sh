# The steps of a deployment, each one function. `part` runs those of one component: for its `*` deploy_script writes the
# files in the order of the plan.
# shellcheck shell=sh disable=SC2154 # set by options.sh

# Errors that are temporary: a webhook, an API or a namespace that is not ready yet.
transient='failed calling webhook|no matches for kind|ensure CRDs are installed first|no endpoints available|connection refused|connection reset|currently unable to handle|ServiceUnavailable|i/o timeout|TLS handshake|etcdserver|deadline exceeded|namespaces? "[^"]*" not found|because it is being terminated'
# Errors of a dry run that say nothing: the earlier steps have not been applied.
inconclusive='no matches for kind|ensure CRDs are installed first|namespaces? "[^"]*" not found|does not support dry run|failed calling webhook|field is immutable'

verb=${dry_run:+checked}
verb=${verb:-applied}

now() { date +%s; }
expired() { [ "$(($(now) - $1))" -ge "$timeout" ]; }

# failed MESSAGE [NAMESPACE]: prints the message and the last events, and exits.
failed() {
  warn "$1"
  case ${2:--} in
    - | '<none>') set -- --all-namespaces ;;
    *) set -- -n "$2" ;;
  esac
  warn "last events ($*):"
  { k get events "$@" --sort-by=.lastTimestamp 2>&1 || :; } | tail -n 15 >&2
  warn 'fix the cause, then run deploy.sh again'
  exit 1
}

# put FILE BODY MANAGER: one call of kubectl apply, for BODY instead of the file unless it is empty.
put() {
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | k apply --server-side --force-conflicts --field-manager="$3" ${dry_run:+--dry-run=server} -f -
  else
    k apply --server-side --force-conflicts --field-manager="$3" ${dry_run:+--dry-run=server} -f "$1" </dev/null
  fi 2>&1
}

# apply FILE [BODY [MANAGER]]: retries while the error is temporary.
apply() {
  if [ -n "$print" ]; then
    say "  apply $1"
    return
  fi
  began=$(now) reported=''
  until output=$(put "$1" "${2:-}" "${3:-cluster-forge}"); do
    reason=$(printf '%s\n' "$output" | grep -Ev 'serverside-applied|^Warning:' || :)
    if [ -n "$dry_run" ] && ! printf '%s\n' "$reason" | grep -Evq "$inconclusive"; then
      say "not everything in $1 can be checked before the earlier steps are applied:"
      printf '%s\n' "$reason" | sed 's/^/    /'
      break
    fi
    case "$1 $reason" in
      *jobs.yaml*'field is immutable'*)
        say "replacing the Jobs in $1: a Job is immutable"
        k delete --ignore-not-found -f "$1" >/dev/null
        ;;
      *)
        if ! printf '%s\n' "$reason" | grep -Eq "$transient" || [ -n "$dry_run" ] || expired "$began"; then
          failed "cannot apply $1: $reason"
        fi
        [ -n "$reported" ] || say "retrying $1 (up to ${timeout}s): $reason"
        reported=yes
        sleep 3
        ;;
    esac
  done
  printf '%s\n' "$output" | sed -n 's/^Warning: /    warning: /p'
  say "$verb $1 ($(printf '%s\n' "$output" | grep -c serverside-applied || :) objects)"
}

# established FILE: a new CRD may have no conditions yet, which kubectl wait takes for an error.
established() {
  if [ -n "$print" ]; then say "  wait until the CRDs in $1 are established"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for the CRDs in $1 to be established (up to ${timeout}s)"
  began=$(now)
  until output=$(k wait --for=condition=Established --timeout="${timeout}s" -f "$1" 2>&1); do
    if expired "$began"; then failed "CRDs not established: $output"; fi
    sleep 1
  done
}

columns='NAME:.metadata.name,IN:.metadata.namespace,COMPLETE:.status.conditions[?(@.type=="Complete")].status'
columns="$columns"',FAILED:.status.conditions[?(@.type=="Failed")].status,PHASE:.status.phase'

# finished ARGUMENT…: waits for the Jobs and Pods that kubectl get returns; one that was cleaned up is complete.
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
    if expired "$began"; then failed "not complete after ${timeout}s:$pending" "$where"; fi
    sleep 2
  done
}

# jobs FILE: deletes and runs hooks, as Helm's before-hook-creation does, and waits until they are complete.
jobs() {
  if [ -n "$print" ]; then
    say "  delete and run the Jobs in $1, wait until they are complete"
    return
  fi
  [ -n "$dry_run" ] || k delete --ignore-not-found -f "$1" >/dev/null
  apply "$1"
  [ -z "$dry_run" ] || return 0
  say "waiting for the Jobs in $1 to be complete (up to ${timeout}s)"
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
      output=$(k wait --for=condition=Available --timeout="${timeout}s" "$2" 2>&1) || failed "$2 is not available: $output"
      ;;
    *)
      output=$(k rollout status -n "$1" "$2" --timeout="${timeout}s" 2>&1) ||
        case $output in
          *'only available for'*) ;; # updateStrategy OnDelete: kubectl cannot watch it
          *) failed "$2 in $1 is not ready: $output" "$1" ;;
        esac
      ;;
  esac
}

# part FOLDER: one component, step by step.
part() {
  for file in "$1"/*; do
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
