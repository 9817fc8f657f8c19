# How deploy.sh applies one file of objects, and what it says if that fails.
# shellcheck shell=sh disable=SC2034,SC2154 # set by the head of deploy.sh and by options.sh

# Errors that are temporary: a webhook, an API or a namespace that is not ready yet.
transient='failed calling webhook|no matches for kind|ensure CRDs are installed first|no endpoints available|connection refused|connection reset|currently unable to handle|ServiceUnavailable|i/o timeout|TLS handshake|etcdserver|deadline exceeded|Client\.Timeout|did not end within|TooManyRequests|too many requests|the object has been modified|object is being deleted|unexpected EOF|namespaces? "[^"]*" not found|because it is being terminated'
# Errors that stay, whatever else they mention.
permanent='denied the request|is invalid:'
# Errors of a dry run that say nothing: the earlier steps have not been applied.
inconclusive='no matches for kind|ensure CRDs are installed first|namespaces? "[^"]*" not found|does not support dry run|failed calling webhook'

verb=${dry_run:+checked}
verb=${verb:-applied}

expired() { [ "$(($(now) - $1))" -ge "$timeout" ]; }

# The file of the hooks that run now.
hook=''

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
  release_ends failed
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

# without_leftovers TEXT: takes spec.conversion out of CRDs that kubectl or an engine says (TEXT) to be invalid only because an
# operator wrote a caBundle into the one of before, which server-side apply leaves there (cert-manager#4838). Fails if there is
# none in TEXT, or they are those that it has changed since the last `apply`.
without_leftovers() {
  names=$(printf '%s\n' "$1" | awk '
    /CustomResourceDefinition/ && match($0, /"[^"]*" is invalid:/) { name = substr($0, RSTART + 1, RLENGTH - 14) }
    /spec\.conversion\.strategy: Required value/ && name != "" { print name }' | sort -u)
  if [ -z "$names" ] || [ "$names" = "$cleared" ]; then return 1; fi
  cleared=$names
  for name in $names; do
    say "taking the conversion webhook of an earlier version out of the CRD $name"
    changed patch customresourcedefinitions.apiextensions.k8s.io "$name" --field-manager=cluster-forge --type=merge \
      -p '{"spec":{"conversion":{"strategy":"None","webhook":null}}}'
  done
}

# apply FILE [BODY [MANAGER]]: retries while all its errors are temporary.
apply() {
  if [ -n "$print" ]; then
    say "  apply $1"
    return
  fi
  count "$1"
  [ -n "$dry_run" ] || recreate "$1"
  began=$(now) reported='' force=$force_conflicts replaced=0 cleared=''
  until output=$(put "$1" "${2:-}" "${3:-cluster-forge}" "$force"); do
    reason=$(printf '%s\n' "$output" | sed -e '/^Please review the fields above/,/^See https:/d' -e '/serverside-applied/d' -e '/^Warning:/d')
    if [ -z "$force" ] && [ -n "$(conflicts "$reason")" ]; then
      fields=$(foreign "$1" "$reason")
      [ -z "$fields" ] || failed "cannot apply $1: another manager has set fields of its objects (manager, field):
$fields
not applied:
$(left_out "$1" "$output")
$(printf '%s\n' "$reason" | grep -v '^- ' || :)
keep them out of the stack, or pass --force-conflicts to take them over${adopt:+ (--adopt takes objects, not fields)}"
      force=yes
      continue
    fi
    if [ -n "$dry_run" ] && is_inconclusive "$1" "$reason"; then
      say "not everything in $1 can be checked before the earlier steps are applied:"
      printf '%s\n' "$reason" | sed 's/^/    /'
      break
    fi
    if [ -z "$dry_run" ] && without_leftovers "$reason"; then continue; fi
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
  [ "$applied" -eq "$objects" ] || [ -n "$dry_run" ] || failed "kubectl applied $applied of the $(counted "$objects" object) in $1: $output"
  say "$verb $1 ($(counted "$applied" object))"
}

# delete FILE: deletes its objects, and waits until they are gone.
delete() {
  output=$(k_objects delete --ignore-not-found --timeout="${timeout}s" -f "$here/$1" 2>&1 </dev/null) || failed "cannot delete what is in $1: $output"
}

# is_inconclusive FILE TEXT: every error in it comes from the earlier steps, which a dry run does not apply.
is_inconclusive() {
  expected=$inconclusive
  case "$1$recreate" in *jobs.yaml | *yes) expected="$expected|$immutable" ;; esac
  printf '%s\n' "$2" | grep -Eq "$expected" && ! printf '%s\n' "$2" | grep -Eqv "$beside|$expected"
}
