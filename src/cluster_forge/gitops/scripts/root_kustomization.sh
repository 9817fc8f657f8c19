# Flux's source and root Kustomization: they are applied, and awaited with the Kustomizations of the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

group=kustomize.toolkit.fluxcd.io
columns_of_kustomizations='NAME:.metadata.name,WANTED:.metadata.generation,SEEN:.status.observedGeneration,APPLIED:.status.lastAppliedRevision'
columns_of_kustomizations="$columns_of_kustomizations"',READY:.status.conditions[?(@.type=="Ready")].status,REASON:.status.conditions[?(@.type=="Ready")].reason'
messages_of_flux='jsonpath={range .items[*]}{.metadata.name}|{.status.conditions[?(@.type=="Ready")].status}|{.status.conditions[?(@.type=="Ready")].message}{"\n"}{end}'

root_kustomization() {
  say "source $source and root Kustomization $root_kustomization at $revision"
  alone
  apply bootstrap/root.yaml
  if [ -n "$print" ]; then say "  wait until the Kustomization $root_kustomization and those of the components are ready"; fi
  [ -z "$print$dry_run" ] || return 0
  reconcile "$source"
  watch
}

# reconcile RESOURCE/NAME…: asks Flux to look at them now, and not at the next interval.
reconcile() {
  for object in "$@"; do
    k annotate "$object" -n "$flux_namespace" --overwrite "reconcile.fluxcd.io/requestedAt=$(now)" >/dev/null || :
  done
}

# flux_messages: what Flux says of the source and the Kustomizations that are not ready, one line each.
flux_messages() {
  for kind in "${source%/*}" "kustomizations.$group"; do
    k get "$kind" -n "$flux_namespace" -l "cluster-forge/stack=$stack" -o "$messages_of_flux" |
      awk -F '|' 'NF > 2 && $2 != "True" { sub(/\|[^|]*\|/, ": "); print substr($0, 1, 500) }' || :
  done
}

# look ROWS: sets `ready` (a number), `pending` (a text) and `idle` (names). Ready is a Kustomization that Flux has applied
# at the wanted revision, with its present settings. Idle is one that Flux looks at again later only.
look() {
  ready=0 pending='' idle='' seen='' last=''
  while read -r name wanted observed applied is_ready reason; do
    case " $listed " in *" $name "*) seen="$seen $name" ;; *) continue ;; esac
    case "$observed $is_ready $applied" in
      "$wanted True $revision@"*)
        ready=$((ready + 1))
        continue
        ;;
      *' False '*) state=$reason idle="$idle $name" ;;
      *) state="at ${applied%%@*}" ;;
    esac
    case $name in
      "$root_kustomization") last=" $name ($state)" ;;
      *) pending="$pending $name ($state)" ;;
    esac
  done <<END
$1
END
  for name in $kustomizations; do
    case " $seen " in *" $name "*) ;; *) pending="$pending $name (not there)" ;; esac
  done
  pending=$pending$last
}

watch() {
  listed=''
  for name in $kustomizations; do listed="$listed $name"; done
  say "waiting for the Kustomization $root_kustomization and those of the components to be ready (up to ${timeout}s without progress)"
  began=$(now) asked=$began best=0 reported=''
  while :; do
    trouble=''
    ask get "kustomizations.$group" -n "$flux_namespace" -l "cluster-forge/stack=$stack" --no-headers -o "custom-columns=$columns_of_kustomizations" ||
      trouble=$answer answer=''
    look "$answer"
    if [ -z "$pending" ]; then return 0; fi
    if [ "$ready" -gt "$best" ]; then began=$(now) best=$ready; fi
    if [ "$reported" != "$ready$pending" ]; then
      say "  $(counted "$ready" Kustomization) ready, not ready:$pending"
      reported=$ready$pending
    fi
    if expired "$began"; then
      flux_messages >&2
      failed "the Kustomization $root_kustomization and those of the components are not ready; not ready:$pending${trouble:+; $trouble}"
    fi
    if [ "$(($(now) - asked))" -ge 10 ]; then
      asked=$(now)
      if without_leftovers "$(flux_messages 2>/dev/null)"; then asked=0; fi
      for name in $idle; do reconcile "kustomization.$group/$name"; done
    fi
    sleep 3
  done
}
