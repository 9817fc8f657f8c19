# The environment: none is deployed over another one (ADR 0022).
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
