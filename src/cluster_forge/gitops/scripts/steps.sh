# The steps of a deployment, each one function. `part` runs those of one component: for its `*` deploy_script writes the
# files in the order of the plan.
# shellcheck shell=sh disable=SC2154 # set by options.sh

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
