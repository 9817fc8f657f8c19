# A narrowed stack takes nothing away from the rest (ADR 0022).
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# check_narrowed: an engine reads all components of a stack from one repository, which this one would replace.
check_narrowed() {
  own='' others=''
  for name in ${applications:-} ${kustomizations:-}; do own="$own $name"; done
  for kind in applications.argoproj.io kustomizations.kustomize.toolkit.fluxcd.io; do
    ask get "$kind" --all-namespaces -l "cluster-forge/stack=$stack" --no-headers -o custom-columns=NAME:.metadata.name ||
      case $answer in
        *"the server doesn't have a resource type"*) answer='' ;;
        *) die 3 "cannot see what the GitOps engine delivers: $answer" ;;
      esac
    for name in $answer; do
      case "$own " in *" $name "*) ;; *) others="$others $name" ;; esac
    done
  done
  [ -z "$others" ] || die 3 "this is a narrowed stack ($narrowed), and the GitOps engine delivers more of it here:$others
nothing was changed; deploy the whole stack, or a selection with all of these: this one would take the repository and \
the root away from them"
}

# with_the_rest: what the stack claims: the objects of the rest stay claimed.
with_the_rest() {
  changed get configmap "claim-$stack" -n cluster-forge -o 'jsonpath={.data.objects}'
  printf '%s\n' "$answer" | awk 'FNR == NR { own[$1 " " $2 " " $3]; print; next } NF == 4 && !(($1 " " $2 " " $3) in own)' \
    "$here/bootstrap/objects" - | sort
}

# only_unpruned APPLICATION: all that differs is what a whole stack would prune.
only_unpruned() {
  ask get applications.argoproj.io "$1" -n "$namespace" \
    -o 'jsonpath={range .status.resources[?(@.status=="OutOfSync")]}{.name} {.requiresPruning}{"\n"}{end}' </dev/null || return 1
  [ -n "$answer" ] && ! printf '%s\n' "$answer" | grep -qv ' true$'
}

# new_namespaces FILE: creates those that are not there. The others stay as they are: their labels follow from everything in them.
new_namespaces() {
  if [ -n "$print" ]; then
    say "  create the namespaces in $1 that are not there"
    return
  fi
  count "$1"
  output=$(k_objects create --field-manager=cluster-forge ${dry_run:+--dry-run=server} -f "$here/$1" 2>&1 </dev/null) || :
  created=$(printf '%s\n' "$output" | grep -c ' created' || :)
  kept=$(printf '%s\n' "$output" | grep -c '(AlreadyExists)' || :)
  [ "$((created + kept))" -eq "$objects" ] || failed "cannot create the namespaces in $1: $output"
  say "created $(counted "$created" namespace) of $1"
}
