# The steps of a deployment, each one function. `part` runs those of one component, in the order of the list of files.
# shellcheck shell=sh disable=SC2034,SC2154 # set by options.sh

# Errors that are temporary: a webhook, an API or a namespace that is not ready yet.
transient='failed calling webhook|no matches for kind|ensure CRDs are installed first|no endpoints available|connection refused|connection reset|currently unable to handle|ServiceUnavailable|i/o timeout|TLS handshake|etcdserver|deadline exceeded|Client\.Timeout|did not end within|TooManyRequests|too many requests|the object has been modified|object is being deleted|unexpected EOF|namespaces? "[^"]*" not found|because it is being terminated'
# Errors that stay, whatever else they mention.
permanent='denied the request|is invalid:'
# Errors of a dry run that say nothing: the earlier steps have not been applied.
inconclusive='no matches for kind|ensure CRDs are installed first|namespaces? "[^"]*" not found|does not support dry run|failed calling webhook'

verb=${dry_run:+checked}
verb=${verb:-applied}

expired() { [ "$(($(now) - $1))" -ge "$timeout" ]; }

# failed MESSAGE [NAMESPACE]: prints the message and the last events, and exits. Hooks that want it are deleted.
failed() {
  ended=yes
  warn "$1"
  case ${2:--} in
    - | '<none>') set -- --all-namespaces ;;
    *) set -- -n "$2" ;;
  esac
  warn "last events ($*):"
  { k get events "$@" --sort-by=.lastTimestamp 2>&1 || :; } | tail -n 15 >&2
  if [ -n "$hook" ]; then
    delete_hooks failed "$hook" '' || :
    delete_hooks succeeded '' "$hook" || :
  fi
  warn 'fix the cause, then run deploy.sh again'
  exit 1
}

# Lines that are not errors of their own: empty, a continuation (white space or <), or from kubectl's log.
beside='^$|^[[:space:]<]|^[EIW][0-9]{4} '

# is_transient TEXT: every error in it is temporary.
is_transient() {
  printf '%s\n' "$1" | grep -Eq "$transient" || return 1
  ! printf '%s\n' "$1" | grep -Eq "$permanent" || return 1
  ! printf '%s\n' "$1" | grep -Eqv "$beside|$transient"
}

# count FILE: sets `objects` to the number of objects in it.
count() {
  objects=0
  while read -r _ _ number file; do
    if [ "$file" = "$1" ]; then objects=$number; fi
  done <"$here/$list"
}

# put FILE BODY MANAGER FORCE: one call of kubectl apply, for BODY instead of the file unless it is empty.
put() {
  if [ -n "$2" ]; then
    printf '%s\n' "$2" | k_objects apply --server-side ${4:+--force-conflicts} --field-manager="$3" ${dry_run:+--dry-run=server} -f -
  else
    k_objects apply --server-side ${4:+--force-conflicts} --field-manager="$3" ${dry_run:+--dry-run=server} -f "$here/$1" </dev/null
  fi 2>&1
}

# conflicts TEXT: a line "MANAGER FIELD" for each field that another manager has set.
conflicts() {
  printf '%s\n' "$1" | awk '
    /conflicts? with "/ {
      rest = $0
      sub(/^.*conflicts? with "/, "", rest)
      manager = rest
      sub(/".*/, "", manager)
      if (rest ~ /: \./) { sub(/^.*: \./, ".", rest); print manager " " rest }
      next
    }
    manager != "" && /^- / { print manager " " substr($0, 3); next }
    { manager = "" }'
}

# foreign FILE TEXT: the conflicts that are for the user to decide. Not those with ourselves, with the Argo CD that this
# stack installs and that looks after itself, and over certificates that controllers write into fields.
foreign() {
  own='cluster-forge|cluster-forge-settings'
  case $1 in bootstrap/argocd/*) own="$own|argocd-controller" ;; esac
  conflicts "$2" | grep -Ev "^($own) |\.caBundle\$" | sort -u || :
}

# left_out FILE TEXT: the objects of FILE that kubectl has not applied, which the message about a conflict does not name.
left_out() {
  awk '
    /^---/ { kind = "" }
    /^kind: / { kind = tolower($2) }
    /^[^ ]/ { inside = ($1 == "metadata:") }
    inside && /^  name: / { print kind, $2 }' "$here/$1" |
    while read -r kind name; do
      printf '%s\n' "$2" | grep -Eq "^$kind(\.[^/]*)?/$name serverside-applied" || printf '  %s/%s\n' "$kind" "$name"
    done
}

# apply FILE [BODY [MANAGER]]: retries while all its errors are temporary.
apply() {
  if [ -n "$print" ]; then
    say "  apply $1"
    return
  fi
  count "$1"
  began=$(now) reported='' force=$force_conflicts replaced=0
  until output=$(put "$1" "${2:-}" "${3:-cluster-forge}" "$force"); do
    reason=$(printf '%s\n' "$output" | sed -e '/^Please review the fields above/,/^See https:/d' -e '/serverside-applied/d' -e '/^Warning:/d')
    if [ -z "$force" ] && [ -n "$(conflicts "$reason")" ]; then
      fields=$(foreign "$1" "$reason")
      [ -z "$fields" ] || failed "cannot apply $1: another manager has set fields of its objects (manager, field):
$fields
not applied:
$(left_out "$1" "$output")
$(printf '%s\n' "$reason" | grep -v '^- ' || :)
keep them out of the stack, or pass --force-conflicts to take them over"
      force=yes
      continue
    fi
    if [ -n "$dry_run" ] && is_inconclusive "$1" "$reason"; then
      say "not everything in $1 can be checked before the earlier steps are applied:"
      printf '%s\n' "$reason" | sed 's/^/    /'
      break
    fi
    case "$1 $reason" in
      *jobs.yaml*'field is immutable'*)
        [ "$replaced" -lt 2 ] || failed "cannot apply $1, though its Jobs were deleted twice: $reason"
        replaced=$((replaced + 1))
        say "replacing the Jobs in $1: a Job is immutable"
        delete "$1"
        ;;
      *)
        if ! is_transient "$reason" || [ -n "$dry_run" ] || expired "$began"; then
          failed "cannot apply $1: ${reason:-kubectl gives no reason}"
        fi
        [ -n "$reported" ] || say "retrying $1 (up to ${timeout}s): $reason"
        reported=yes
        sleep 3
        ;;
    esac
  done
  printf '%s\n' "$output" | sed -n 's/^Warning: /    warning: /p'
  applied=$(printf '%s\n' "$output" | grep -c serverside-applied || :)
  [ "$applied" -eq "$objects" ] || [ -n "$dry_run" ] || failed "kubectl applied $applied of the $objects objects in $1: $output"
  say "$verb $1 ($applied objects)"
}

# is_inconclusive FILE TEXT: every error in it comes from the earlier steps, which a dry run does not apply.
is_inconclusive() {
  expected=$inconclusive
  case $1 in *jobs.yaml) expected="$expected|field is immutable" ;; esac
  printf '%s\n' "$2" | grep -Eq "$expected" && ! printf '%s\n' "$2" | grep -Eqv "$beside|$expected"
}

# delete FILE: deletes its objects, and waits until they are gone.
delete() {
  output=$(k_objects delete --ignore-not-found --timeout="${timeout}s" -f "$here/$1" 2>&1 </dev/null) || failed "cannot delete what is in $1: $output"
}

# await TEXT ARGUMENT…: kubectl wait, again while there is nothing to look at yet: a new object may have no conditions.
await() {
  what=$1 began=$(now)
  shift
  until output=$(k_waits wait --timeout="${timeout}s" "$@" 2>&1); do
    if expired "$began"; then failed "$what: $output"; fi
    sleep 1
  done
}

# established FILE: waits until its CRDs are.
established() {
  if [ -n "$print" ]; then say "  wait until the CRDs in $1 are established"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for the CRDs in $1 to be established (up to ${timeout}s)"
  await 'CRDs not established' --for=condition=Established -f "$here/$1"
}

columns='NAME:.metadata.name,IN:.metadata.namespace,COMPLETE:.status.conditions[?(@.type=="Complete")].status'
columns="$columns"',FAILED:.status.conditions[?(@.type=="Failed")].status,PHASE:.status.phase'

# finished FILE NUMBER ARGUMENT…: waits for NUMBER Jobs and Pods that kubectl get returns. One that is missing was
# cleaned up after it was complete, if FILE says that it may be.
finished() {
  file=$1 number=$2 began=$(now)
  shift 2
  while :; do
    pending='' where='' rows='' seen=0
    if ! answer=$(k get "$@" --ignore-not-found --no-headers -o "custom-columns=$columns" 2>&1); then
      is_transient "$answer" || failed "$answer"
      pending=" $answer"
    else
      rows=$answer
    fi
    while read -r name in complete broken phase; do
      case $name in '' | Warning:) continue ;; esac
      seen=$((seen + 1))
      case "$broken/$phase" in True/* | */Failed) job_failed "$name failed" "$in" "$name" ;; esac
      case "$complete/$phase" in True/* | */Succeeded) ;; *) pending="$pending $name" where=$in ;; esac
    done <<END
$rows
END
    if [ "$seen" -lt "$number" ] && [ -z "$pending" ] && ! grep -q ttlSecondsAfterFinished "$here/$file"; then
      failed "$seen of $number Jobs in $file are there: something deleted the others before they were complete"
    fi
    [ -n "$pending" ] || return 0
    if expired "$began"; then failed "not complete after ${timeout}s:$pending" "$where"; fi
    sleep 2
  done
}

# job_failed MESSAGE NAMESPACE NAME: prints the log, which a hook may want deleted.
job_failed() {
  log=$(k logs -n "$2" "job/$3" --all-containers --tail=20 2>/dev/null) ||
    log=$(k logs -n "$2" "$3" --all-containers --tail=20 2>&1) || :
  warn "log of $3:
$log"
  failed "$1" "$2"
}

# The hooks that run now: their file, and the list of what to delete of the hooks of this phase.
hook='' policies=''

# delete_hooks POLICY FILE LAST: deletes the objects of hooks that ask for it with POLICY: those of FILE, or else of all
# files, or of those before LAST.
delete_hooks() {
  [ -f "$here/$policies" ] || return 0
  result=0
  while read -r policy of where what; do
    [ "$of" != "${3##*/}" ] || break
    if [ "$policy" != "$1" ] || { [ -n "$2" ] && [ "$of" != "${2##*/}" ]; }; then continue; fi
    say "deleting the hook $what ($1)"
    [ "$where" != - ] || where=default
    if ! output=$(k_objects delete "$what" -n "$where" --ignore-not-found --timeout="${timeout}s" 2>&1 </dev/null); then
      warn "cannot delete $what: $output"
      result=1
    fi
  done <"$here/$policies"
  return "$result"
}

# run_hooks FILE: the hooks of one weight. Jobs and Pods are deleted first, run, and awaited until they are complete.
run_hooks() {
  hook=$1
  case $1 in */hooks-pre-*) policies=${1%/*}/hooks-pre-delete ;; *) policies=${1%/*}/hooks-post-delete ;; esac
  case $1 in
    *-jobs.yaml)
      if [ -n "$print" ]; then
        say "  delete and run the Jobs in $1, wait until they are complete"
        return
      fi
      [ -n "$dry_run" ] || delete "$1"
      ;;
    *)
      [ -n "$print$dry_run" ] || delete_hooks before "$1" '' || failed "the hooks in $1 cannot be created again"
      ;;
  esac
  apply "$1"
  [ -z "$print$dry_run" ] || return 0
  case $1 in
    *-jobs.yaml)
      say "waiting for the Jobs in $1 to be complete (up to ${timeout}s)"
      count "$1"
      finished "$1" "$objects" -f "$here/$1"
      ;;
  esac
  hook=''
}

# end_hooks FILE: after the last hook of a phase.
end_hooks() {
  if [ -n "$print" ]; then say "  delete the hooks in $1 that ask for it"; fi
  [ -z "$print$dry_run" ] || return 0
  policies=$1
  delete_hooks succeeded '' '' || failed "hooks in $1 are still there, with what they may do"
}

# wait_for NAMESPACE KIND/NAME [FILE]
wait_for() {
  if [ -n "$print" ]; then say "  wait for $2 in $1"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for $2 in $1 (up to ${timeout}s)"
  case $2 in
    job.*) finished "${3:-}" 1 "$2" -n "$1" ;;
    apiservice.*) await "$2 is not available" --for=condition=Available "$2" ;;
    *) rolled_out "$1" "$2" ;;
  esac
}

# rolled_out NAMESPACE KIND/NAME
rolled_out() {
  began=$(now)
  until output=$(k_waits rollout status -n "$1" "$2" --timeout="${timeout}s" 2>&1); do
    case $output in *'only available for'*) return 0 ;; esac # updateStrategy OnDelete: kubectl cannot watch it
    if ! is_transient "$output" || expired "$began"; then failed "$2 in $1 is not ready: $output" "$1"; fi
    sleep 1
  done
}

# part FOLDER: one component, step by step.
part() {
  while read -r _ _ _ file; do
    case $file in "$1"/*) step "$file" </dev/null ;; esac
  done <"$here/$list"
}

step() {
  case $1 in
    */crds.yaml)
      apply "$1"
      established "$1"
      ;;
    */settings.yaml) apply "$1" '' cluster-forge-settings ;;
    */hooks-*-delete) end_hooks "$1" ;;
    */hooks-*) run_hooks "$1" ;;
    */wait)
      while read -r where what || [ -n "$where" ]; do
        wait_for "$where" "$what" "${1%/*}/jobs.yaml" </dev/null
      done <"$here/$1"
      ;;
    *) apply "$1" ;;
  esac
}
