# The root Application: it is applied, and awaited with its children.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

columns_of_applications='NAME:.metadata.name,WANTED:.spec.source.targetRevision,SEEN:.status.sync.comparedTo.source.targetRevision'
columns_of_applications="$columns_of_applications"',SYNC:.status.sync.status,HEALTH:.status.health.status,PHASE:.status.operationState.phase'
columns_of_applications="$columns_of_applications"',COMMIT:.status.sync.revision,TRIED:.status.operationState.syncResult.revision'
columns_of_applications="$columns_of_applications"',DELETED:.metadata.deletionTimestamp'
columns_of_messages='NAME:.metadata.name,SAYS:.status.operationState.message,CONDITIONS:.status.conditions[*].message'

# states: sets `answer` to a line for each Application of the stack.
states() {
  ask get applications.argoproj.io -n "$namespace" -l "$selector" --no-headers -o "custom-columns=$columns_of_applications"
}
# said: what Argo CD says of the last operation and of the comparison, a line for each Application.
said() { k get applications.argoproj.io -n "$namespace" -l "$selector" --no-headers -o "custom-columns=$columns_of_messages"; }
patch() { k patch applications.argoproj.io "$1" -n "$namespace" --type=merge -p "$2" >/dev/null || :; }

# Argo CD compares a new revision only after the operation on the old one, and does not retry a revision whose sync
# has failed finally.
settle() {
  states || answer=''
  while read -r name wanted _ _ _ phase _; do
    case "$wanted $phase" in
      "$revision Failed" | "$revision Error")
        say "restarting the sync of $name"
        ask get applications.argoproj.io "$name" -n "$namespace" -o 'jsonpath={.spec.syncPolicy.syncOptions}' || answer=''
        patch "$name" '{"operation":{"initiatedBy":{"username":"deploy.sh"},"sync":{"prune":'"$prune"',"revision":"'"$revision"'","syncOptions":'"${answer:-[]}"'}}}'
        ;;
      "$revision Running" | ' ') ;;
      *' Running')
        say "terminating the sync of $name at $wanted"
        patch "$name" '{"status":{"operationState":{"phase":"Terminating"}}}'
        ;;
    esac
  done <<END
$answer
END
}

root_application() {
  say "root Application $root at $revision"
  body=''
  alone
  widen
  if [ -z "$print$dry_run" ]; then settle; fi
  if [ -z "$print$namespace_known" ]; then
    body=$(k patch --local -f "$here/bootstrap/root.yaml" --type=merge -o yaml \
      -p '{"metadata":{"namespace":"'"$namespace"'"},"spec":{"destination":{"namespace":"'"$namespace"'"}}}' 2>&1) ||
      failed "cannot set the namespace of the Application $root: $body"
  fi
  apply bootstrap/root.yaml "$body"
  if [ -n "$print" ]; then say "  wait until the Application $root and its children are synced and healthy"; fi
  [ -z "$print$dry_run" ] || return 0
  refresh hard "$root"
  watch
  [ -n "$narrowed" ] || permit /dev/null''
}

# refresh KIND NAME: Argo CD compares the Application now, instead of after 180 s; hard: past its copy of the
# repository, which it keeps for three minutes and which may lack the new tag.
refresh() {
  k annotate applications.argoproj.io "$2" -n "$namespace" --overwrite "argocd.argoproj.io/refresh=$1" >/dev/null || :
}

# What is known about Applications that are not ready, one line each, cut to 500 characters: their objects that are not
# well, as Argo CD says if it does (`controller.resource.health.persist`), then their own messages.
application_messages() {
  for name in $1; do
    ask get applications.argoproj.io "$name" -n "$namespace" --ignore-not-found \
      -o 'jsonpath={range .status.resources[?(@.health.status=="Degraded")]}{.kind}/{.name} in {.namespace}: Degraded: {.health.message}{"\n"}{end}' ||
      answer=''
    if [ -n "$answer" ]; then printf '%s\n' "$answer"; else unready_objects "$name"; fi | cut -c 1-500 >&2
  done
  said | sed -e 's/   */: /' -e 's/   */; /g' -e 's/; <none>$//' | grep -v -e ': successfully synced[^;]*$' -e ': <none>$' | cut -c 1-500 >&2 || :
}

# look ROWS: sets `ready` (a number), `pending` (a text), `waiting` (names) and `unknown`. Ready is an Application that is
# Synced and Healthy at the wanted revision, with no operation on it that runs or that failed for this very commit, and
# that is not being deleted (`gitops.argocd.application_state`).
look() {
  ready=0 pending='' waiting='' unknown='' seen='' last=''
  while read -r name wanted compared sync health phase commit tried deleted; do
    case " $listed " in *" $name "*) seen="$seen $name" ;; *) continue ;; esac
    state=''
    case "$wanted $compared $sync $health" in
      "$revision $revision Synced Healthy")
        case "$phase $tried" in
          'Running '* | 'Terminating '* | "Failed $commit" | "Error $commit") state="the sync is $phase" ;;
        esac
        ;;
      "$revision $revision OutOfSync Healthy")
        if [ -z "$narrowed" ] || [ "$phase $tried" != "Succeeded $commit" ] || ! only_unpruned "$name"; then state="$sync, $health"; fi
        ;;
      "$revision "*) state="$sync, $health" ;;
      *) state="at $wanted" ;;
    esac
    case ${deleted:-<none>} in '<none>') ;; *) state='it is being deleted' ;; esac
    if [ -z "$state" ]; then
      ready=$((ready + 1))
      continue
    fi
    waiting="$waiting $name"
    case "$name $sync" in
      "$root "*) last=" $name ($state)" ;;
      *) pending="$pending $name ($state)" ;;
    esac
    case "$name $sync" in "$root Unknown") unknown=yes ;; esac
  done <<END
$1
END
  for name in $applications; do
    case " $seen " in *" $name "*) ;; *) pending="$pending $name (not there)" ;; esac
  done
  pending=$pending$last
}

watch() {
  listed=$(printf '%s' "$applications" | tr '\n' ' ')
  say "waiting for the Application $root and its children to be synced and healthy (up to ${timeout}s without progress)"
  began=$(now) asked=$began pause=8 best=0 reported=''
  while :; do
    trouble=''
    states || trouble=$answer answer=''
    look "$answer"
    if [ -z "$pending" ]; then return 0; fi
    if [ "$ready" -gt "$best" ]; then began=$(now) best=$ready; fi
    if [ "$reported" != "$ready$pending" ]; then
      say "  $(counted "$ready" Application) ready, not ready:$pending"
      reported=$ready$pending pause=8
    fi
    if expired "$began"; then
      application_messages "$waiting"
      failed "the Application $root and its children are not synced and healthy; not ready:$pending${trouble:+; $trouble}"
    fi
    # After CRDs Argo CD builds its view of the cluster again, and sees what changed meanwhile at a comparison only (argo-cd#21079).
    if [ -n "$waiting" ] && [ "$(($(now) - asked))" -ge "$pause" ]; then
      if without_leftovers "$(said 2>/dev/null)"; then pause=2; fi
      if [ -n "$unknown" ]; then refresh hard "$root"; else for late in $waiting; do refresh normal "$late"; done; fi
      asked=$(now)
      if [ "$pause" -lt 64 ]; then pause=$((pause * 2)); fi
    fi
    sleep 3
  done
}
