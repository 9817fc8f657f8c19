# Environment and selection: no environment is deployed over another one, and a narrowed stack takes nothing away from the rest
# (ADR 0022).
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# check_variant: refuses the cluster of another environment, and, for a narrowed stack, one where Argo CD delivers more of the stack.
check_variant() {
  ask get configmap "claim-$stack" -n cluster-forge --ignore-not-found \
    -o 'jsonpath={.metadata.name} {.metadata.labels.cluster-forge/environment}' ||
    die 3 "cannot see which environment is deployed: $answer"
  case $answer in "claim-$stack "*) check_environment "${answer#* }" ;; esac
  [ -z "$narrowed" ] || check_narrowed
}

check_environment() {
  [ "$1" != "$environment" ] || return 0
  there="environment ${1:-(none)}" here_is="environment ${environment:-(none)}"
  if [ -n "$force_environment" ]; then
    warn "the stack $stack is deployed here from $there: replacing it by $here_is because of --force-environment"
  else
    die 3 "the stack $stack is deployed here from $there, and this is $here_is
nothing was changed; choose the other cluster (--context), or replace what is here: pass --force-environment; two environments \
in one cluster need names of their own (name: in the environment)"
  fi
}

# check_narrowed: Argo CD reads all Applications of a stack from one repository, which this one would replace.
check_narrowed() {
  ask get applications.argoproj.io --all-namespaces -l "cluster-forge/stack=$stack" --no-headers -o custom-columns=NAME:.metadata.name ||
    case $answer in
      *"the server doesn't have a resource type"*) answer='' ;;
      *) die 3 "cannot see what Argo CD delivers: $answer" ;;
    esac
  own='' others=''
  for name in ${applications:-}; do own="$own $name"; done
  for name in $answer; do
    case "$own " in *" $name "*) ;; *) others="$others $name" ;; esac
  done
  [ -z "$others" ] || die 3 "this is a narrowed stack ($narrowed), and Argo CD delivers more of it here:$others
nothing was changed; deploy the whole stack, or a selection with all of these: this one would take the repository and \
the root Application away from them"
}

# claim_again: the claim is there. A narrowed stack is added to it: the objects of the rest stay claimed. So does what stays
# behind when the whole stack no longer has it.
claim_again() {
  if [ -n "$narrowed" ]; then
    changed get configmap "claim-$stack" -n cluster-forge -o 'jsonpath={.data.objects}'
    printf '%s\n' "$answer" | awk 'FNR == NR { own[$1 " " $2 " " $3]; print; next } NF == 4 && !(($1 " " $2 " " $3) in own)' \
      "$here/bootstrap/objects" - | sort >"$facts/ours"
  elif [ -n "$(of stays)" ]; then
    of stays | sed 's/$/ stays-behind/' | cat "$here/bootstrap/objects" - >"$facts/ours"
  else
    changed replace -f "$here/bootstrap/claim.yaml"
    return
  fi
  label=null
  [ -z "$environment" ] || label="\"$environment\""
  claimed_by "$stack" '{"labels":{"cluster-forge/environment":'"$label"'}}' "$facts/ours"
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
