# The order of it all.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

can_ask
cd "$(dirname "$0")" || exit 3
if [ -n "$print" ]; then
  say "stack $stack, $summary:"
else
  check_cluster
  confirm
  own
fi
deploy
if [ -n "$print$dry_run" ]; then say 'nothing was changed'; else say "the stack $stack is deployed"; fi
