# The root Application: it is applied, and awaited with its children.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

columns_of_applications='NAME:.metadata.name,WANTED:.spec.source.targetRevision,SEEN:.status.sync.comparedTo.source.targetRevision'
columns_of_applications="$columns_of_applications"',SYNC:.status.sync.status,HEALTH:.status.health.status,PHASE:.status.operationState.phase'

# states: one line for each Application of the stack.
states() {
  k get applications.argoproj.io -n "$namespace" -l "cluster-forge/stack=$stack" --no-headers \
    -o "custom-columns=$columns_of_applications" 2>/dev/null || :
}
patch() { k patch applications.argoproj.io "$1" -n "$namespace" --type=merge -p "$2" >/dev/null || :; }

# Argo CD compares a new revision only after the operation on the old one, and does not retry a revision whose sync
# has failed finally.
settle() {
  rows=$(states)
  while read -r name wanted _ _ _ phase; do
    case "$wanted $phase" in
      "$revision Failed" | "$revision Error")
        say "restarting the sync of $name"
        options=$(k get applications.argoproj.io "$name" -n "$namespace" -o 'jsonpath={.spec.syncPolicy.syncOptions}')
        patch "$name" '{"operation":{"initiatedBy":{"username":"deploy.sh"},"sync":{"prune":true,"revision":"'"$revision"'","syncOptions":'"${options:-[]}"'}}}'
        ;;
      "$revision Running" | ' ') ;;
      *' Running')
        say "terminating the sync of $name at $wanted"
        patch "$name" '{"status":{"operationState":{"phase":"Terminating"}}}'
        ;;
    esac
  done <<END
$rows
END
}

root_application() {
  say "root Application $root at $revision"
  body=''
  if [ -z "$print$dry_run" ]; then settle; fi
  if [ -z "$print$namespace_known" ]; then
    body=$(k patch --local -f bootstrap/root.yaml --type=merge -o yaml \
      -p '{"metadata":{"namespace":"'"$namespace"'"},"spec":{"destination":{"namespace":"'"$namespace"'"}}}')
  fi
  apply bootstrap/root.yaml "$body"
  if [ -n "$print" ]; then say "  wait until the Application $root and its children are synced and healthy"; fi
  [ -z "$print$dry_run" ] || return 0
  refresh "$root"
  watch
}

# Argo CD caches the repository for three minutes: its copy may lack the new tag.
refresh() { k annotate applications.argoproj.io "$1" -n "$namespace" --overwrite argocd.argoproj.io/refresh=hard >/dev/null || :; }

# Argo CD's messages about the Applications, one line each, cut to 500 characters.
application_messages() {
  k get applications.argoproj.io -n "$namespace" -l "cluster-forge/stack=$stack" --no-headers \
    -o 'custom-columns=NAME:.metadata.name,SAYS:.status.operationState.message,CONDITIONS:.status.conditions[*].message' |
    sed -e 's/   */: /' -e 's/   */; /g' -e 's/; <none>$//' | grep -v ': successfully synced[^;]*$' | cut -c 1-500 >&2 || :
}

watch() {
  say "waiting for the Application $root to be synced and healthy (up to ${timeout}s without progress)"
  began=$(now) asked=$began best=0 reported=''
  while :; do
    rows=$(states) pending='' done='' ready=0 unknown=''
    while read -r name wanted seen sync health _; do
      case "$name $wanted $seen $sync $health" in
        "$root $revision $revision Synced Healthy") done=yes ;;
        *" $revision $revision Synced Healthy") ready=$((ready + 1)) ;;
        "$root "*Unknown*) unknown=yes ;;
        "$root "* | ' '*) ;;
        *" $revision "*) pending="$pending $name ($sync, $health)" ;;
        *) pending="$pending $name (at $wanted)" ;;
      esac
    done <<END
$rows
END
    if [ -n "$done" ]; then return 0; fi
    if [ "$ready" -gt "$best" ]; then began=$(now) best=$ready; fi
    if [ "$reported" != "$ready$pending" ]; then
      say "  $ready Applications ready${pending:+, not ready:$pending}"
      reported=$ready$pending
    fi
    if expired "$began"; then
      application_messages
      failed "the Application $root is not synced and healthy; not ready:${pending:- the root itself}"
    fi
    if [ -n "$unknown" ] && [ "$(($(now) - asked))" -ge 15 ]; then
      asked=$(now)
      refresh "$root"
    fi
    sleep 3
  done
}
