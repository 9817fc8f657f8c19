# kubectl applies every component; the table is filled in from the plan.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

deploy() {
  while read -r folder wave objects; do
    say "wave $wave: $folder ($objects)"
    alone
    part "$folder" </dev/null
  done <<'END'
{waves}
END
  [ -n "$narrowed" ] || prune
}
