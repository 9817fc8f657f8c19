# What deploy.sh checks and asks before the first change.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

k() { kubectl ${context:+--context "$context"} ${kubeconfig:+--kubeconfig "$kubeconfig"} "$@"; }

# Everything that can be known before the first change.
check_cluster() {
  command -v kubectl >/dev/null || give_up 3 'kubectl is not there: install it, or put it on PATH'
  answer=$(k get --raw /version 2>&1) || give_up 3 "the cluster cannot be reached: $answer"
  minor=$(printf '%s' "$answer" | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p')
  check_version "${minor:-0}"
  check_permissions
}

check_version() {
  off=$(($1 - target_minor))
  if [ "$1" -ge 25 ] && [ "$off" -ge -1 ] && [ "$off" -le 1 ]; then
    [ "$off" -eq 0 ] || complain "the stack was made for Kubernetes 1.$target_minor; this cluster is 1.$1, which is near enough"
  elif [ -n "$force_version" ]; then
    complain "the stack was made for Kubernetes 1.$target_minor; going on with 1.$1 because of --force-version"
  else
    give_up 3 "the cluster is Kubernetes 1.$1, the stack was made for 1.$target_minor (at least 1.25, and not more than one \
minor apart): set target.kubernetes and forge again, or say --force-version"
  fi
}

# Nothing is ever asked where nobody can answer.
can_ask() { [ -n "$yes$dry_run$print" ] || [ -t 0 ] || give_up 2 'nobody can be asked here: say --yes to go ahead'; }

confirm() {
  server=$(k config view --minify -o 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null) || server='the cluster'
  say "stack $stack, $summary, to $server${context:+ (context $context)}"
  [ -z "$yes$dry_run" ] || return 0
  printf 'Deploy it? [y/N] '
  read -r answer || answer=''
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) give_up 1 'nothing was changed' ;;
  esac
}
