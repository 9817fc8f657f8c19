# Environment and selection: no environment is deployed over another one, and a narrowed stack takes nothing away from the rest
# (ADR 0022).
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# check_variant: refuses the cluster of another environment, and, for a narrowed stack, one where Argo CD delivers more of the stack.
check_variant() {
  claimed=$(k get configmap "claim-$stack" -n cluster-forge --ignore-not-found \
    -o 'jsonpath={.metadata.name} {.metadata.labels.cluster-forge/environment}' 2>"$scratch/errors" </dev/null) ||
    die 3 "cannot see which environment is deployed: $(cat "$scratch/errors")"
  case $claimed in "claim-$stack "*) check_environment "${claimed#* }" ;; esac
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
  delivered=$(k get applications.argoproj.io --all-namespaces -l "cluster-forge/stack=$stack" --no-headers \
    -o custom-columns=NAME:.metadata.name 2>"$scratch/errors" </dev/null) ||
    grep -q "the server doesn't have a resource type" "$scratch/errors" ||
    die 3 "cannot see what Argo CD delivers: $(cat "$scratch/errors")"
  own='' others=''
  for name in ${applications:-}; do own="$own $name"; done
  for name in $delivered; do
    case "$own " in *" $name "*) ;; *) others="$others $name" ;; esac
  done
  [ -z "$others" ] || die 3 "this is a narrowed stack ($narrowed), and Argo CD delivers more of it here:$others
nothing was changed; deploy the whole stack, or a selection with all of these: this one would take the repository and \
the root Application away from them"
}

# claim_again: the claim is there. A narrowed stack is added to it: the objects of the rest stay claimed.
claim_again() {
  if [ -z "$narrowed" ]; then
    changed replace -f "$here/bootstrap/claim.yaml"
    return
  fi
  k get configmap "claim-$stack" -n cluster-forge -o 'jsonpath={.data.objects}' >"$facts/whole" 2>"$scratch/errors" </dev/null ||
    failed "cannot read the claim of the stack: $(cat "$scratch/errors")"
  echo >>"$facts/whole"
  lines=$(awk 'FNR == NR { own[$1 " " $2 " " $3] = 1; print; next } NF == 4 && !(($1 " " $2 " " $3) in own)' \
    "$here/bootstrap/objects" "$facts/whole" | sort | sed 's/$/\\n/' | tr -d '\n')
  label=null
  [ -z "$environment" ] || label="\"$environment\""
  printf '{"metadata":{"labels":{"cluster-forge/environment":%s}},"data":{"objects":"%s"}}' "$label" "$lines" >"$facts/patch"
  changed patch configmap "claim-$stack" -n cluster-forge --type=merge --patch-file="$facts/patch"
}

# only_unpruned APPLICATION: all that differs is what a whole stack would prune.
only_unpruned() {
  differing=$(k get applications.argoproj.io "$1" -n "$namespace" \
    -o 'jsonpath={range .status.resources[?(@.status=="OutOfSync")]}{.name} {.requiresPruning}{"\n"}{end}' 2>/dev/null </dev/null) || return 1
  [ -n "$differing" ] && ! printf '%s\n' "$differing" | grep -qv ' true$'
}
