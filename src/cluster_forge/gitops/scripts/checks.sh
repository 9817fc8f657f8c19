# What deploy.sh checks and asks before the first change.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

k() { kubectl ${context:+--context "$context"} ${kubeconfig:+--kubeconfig "$kubeconfig"} "$@"; }

# Checks before the first change.
check_cluster() {
  command -v kubectl >/dev/null || die 3 'kubectl not found: install it, or add it to PATH'
  answer=$(k get --raw /version 2>&1) || die 3 "cannot reach the cluster: $answer"
  minor=$(printf '%s' "$answer" | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  check_version "${minor:-0}"
  check_permissions
}

check_version() {
  off=$(($1 - target_minor))
  if [ "$1" -ge 25 ] && [ "$off" -ge -1 ] && [ "$off" -le 1 ]; then
    [ "$off" -eq 0 ] || warn "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1: supported, one minor apart"
  elif [ -n "$force_version" ]; then
    warn "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1: not supported, continuing because of --force-version"
  else
    die 3 "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1 (supported: at least 1.25, one minor apart): \
set target.kubernetes and forge again, or pass --force-version"
  fi
}

# Without a terminal there is no confirmation.
can_ask() { [ -n "$yes$dry_run$print" ] || [ -t 0 ] || die 2 'not a terminal: pass --yes'; }

confirm() {
  server=$(k config view --minify -o 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null) || server='the cluster'
  say "stack $stack, $summary, to $server${context:+ (context $context)}"
  [ -z "$yes$dry_run" ] || return 0
  printf 'Deploy? [y/N] '
  read -r answer || answer=''
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) die 1 'nothing was changed' ;;
  esac
}
