# The order of it all.
# shellcheck shell=sh disable=SC2034,SC2154 # set by the head of deploy.sh and by options.sh

can_ask
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || die 1 "cannot enter the folder of $0"
check_files
if [ -n "$print" ]; then
  say "stack $stack, $summary:"
else
  scratch=$(mktemp -d) || die 1 'cannot make a temporary folder: set TMPDIR to one that can be written'
  check_cluster
  check_variant
  confirm
  own
  release_begins
fi
deploy
alone
release_ends deployed
if [ -n "$print$dry_run" ]; then say 'nothing was changed'; else say "the stack $stack is deployed${narrowed:+: $narrowed}"; fi
ended=yes
