# The steps of one component that kubectl applies, with its hooks, in the order of the list of files.
# shellcheck shell=sh disable=SC2034,SC2154 # set by options.sh

# The list of what to delete of the hooks of this phase.
policies=''

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

# established FILE: waits until its CRDs are.
established() {
  if [ -n "$print" ]; then say "  wait until the CRDs in $1 are established"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for the CRDs in $1 to be established (up to ${timeout}s)"
  count "$1"
  [ "$timeout" -le 10 ] || patience=10
  meanwhile="remind $1"
  await 'CRDs not established' "$objects" --for=condition=Established -f "$here/$1"
  patience=$timeout meanwhile=:
}

# remind FILE: an API server that ends between accepting the names of a CRD and establishing it goes on at its next change only.
remind() {
  for mark in "=$(now)" -; do
    k_objects annotate -f "$here/$1" --overwrite "cluster-forge/reminded$mark" >/dev/null 2>&1 </dev/null || :
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
    */namespaces.yaml) if [ -n "$narrowed" ]; then new_namespaces "$1"; else apply "$1"; fi ;;
    */settings.yaml) apply "$1" '' cluster-forge-settings ;;
    */hooks-*-delete) end_hooks "$1" ;;
    */hooks-*) run_hooks "$1" ;;
    */wait)
      while read -r where what; do
        wait_for "$where" "$what" "${1%/*}/jobs.yaml" </dev/null
      done <"$here/$1"
      ;;
    */webhooks)
      while read -r _ what; do
        webhooks_answer "$what" </dev/null
      done <"$here/$1"
      ;;
    *) apply "$1" ;;
  esac
}
