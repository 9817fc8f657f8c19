# What has left the stack is deleted, once the rest is deployed (ADR 0039). gitops/removal.py has the same order and owners.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

member_columns='SET:.metadata.labels.applyset\.kubernetes\.io/part-of,TRACKED:.metadata.annotations.argocd\.argoproj\.io/tracking-id'
member_columns="$member_columns"',RELEASE:.metadata.annotations.meta\.helm\.sh/release-name,FLUX:.metadata.labels.kustomize\.toolkit\.fluxcd\.io/name'
member_columns="$member_columns"',UID:.metadata.uid,MANAGERS:.metadata.managedFields[*].manager'

# phase KIND.GROUP: custom resources go first, while their operators run; then what the API server asks other servers for.
phase() {
  case $1 in
    *WebhookConfiguration.admissionregistration.k8s.io | APIService.*) printf asked ;;
    *.apps | *.batch | *.autoscaling | *.policy | *.rbac.authorization.k8s.io | *.networking.k8s.io | *.storage.k8s.io) printf rest ;;
    *.admissionregistration.k8s.io | *.apiextensions.k8s.io | *.certificates.k8s.io | *.coordination.k8s.io) printf rest ;;
    *.discovery.k8s.io | *.events.k8s.io | *.flowcontrol.apiserver.k8s.io | *.node.k8s.io | *.scheduling.k8s.io) printf rest ;;
    *.resource.k8s.io) printf rest ;;
    *.*) printf custom ;;
    *) printf rest ;;
  esac
}

prune() {
  if [ -n "$print" ]; then say '  delete what an earlier version of the stack has left, and others have not taken over'; fi
  [ -z "$print$dry_run" ] || return 0
  of leaves >"$facts/leaving"
  [ -s "$facts/leaving" ] || return 0
  bystanders
  for now_due in custom asked rest; do
    while read -r kind where name; do
      [ "$(phase "$kind")" != "$now_due" ] || pruned "$kind" "$where" "$name" </dev/null
    done <"$facts/leaving"
  done
  {
    of stays | sed 's/$/ stays-behind/'
    sed 's/$/ leaves/' "$facts/held"
  } | cat "$here/bootstrap/objects" - >"$facts/ours"
  claimed_by "$stack" "$facts/ours" "$(as_parent "$facts/ours")"
}

# bystanders: the Applications and Kustomizations of others, and the volumes that have owners: they would go with these.
bystanders() {
  : >"$facts/held"
  : >"$facts/strangers"
  for applier in applications.argoproj.io kustomizations.kustomize.toolkit.fluxcd.io; do
    ask get "$applier" --all-namespaces --no-headers -o 'custom-columns=STACK:.metadata.labels.cluster-forge/stack,NAME:.metadata.name' ||
      case $answer in *"the server doesn't have a resource type"*) answer='' ;; *) failed "cannot see what the GitOps engine applies: $answer" ;; esac
    printf '%s\n' "$answer" | awk -v me="$stack" 'NF == 2 && $1 != me { print $2 }' >>"$facts/strangers"
  done
  volumes
}

# pruned KIND NAMESPACE NAME
pruned() {
  shown=$1/$3 entry="$1 $2 $3"
  kind=$(printf '%s' "$1" | tr '[:upper:]' '[:lower:]') name=$3
  if [ "$2" = - ]; then set --; else set -- -n "$2"; fi
  ask get "$kind" "$name" "$@" --ignore-not-found --no-headers -o "custom-columns=$member_columns" ||
    case $answer in *"the server doesn't have a resource type"*) answer='' ;; *) failed "cannot look for $shown: $answer" ;; esac
  [ -n "$answer" ] || return 0
  owner=$(printf '%s\n' "$answer" | awk -v own="$applyset" -v me="$stack" '
    function is_own(name) { return index(name, me ".") == 1 && !(name in stranger) }
    from == "strangers" { stranger[$1]; next }
    {
      managers = " "; for (i = 6; i <= NF; i++) managers = managers $i " "
      gsub(/,/, " ", managers)
      app = $2; sub(/:.*/, "", app); mine = app; sub(/^[^_]*_/, "", mine)
      if ($1 != "<none>" && $1 != own) print "the ApplySet " $1
      else if ($2 != "<none>") { if (!is_own(mine)) print "the Application " app }
      else if ($4 != "<none>") { if (!is_own($4)) print "the Kustomization " $4 }
      else if ($3 != "<none>" && managers ~ / helm /) print "the Helm release " $3
      else if ($1 == "<none>" && managers !~ / cluster-forge /) print "others: no field of it is managed by cluster-forge any more"
    }' from=strangers "$facts/strangers" from=member -)
  if [ -n "$owner" ]; then
    say "leaving $shown, which has left the stack: it belongs to $owner"
    return 0
  fi
  volume=$(volume_of "$(printf '%s\n' "$answer" | awk '{ print $5; exit }')")
  if [ -n "$volume" ]; then
    say "leaving $shown, which has left the stack: it owns PersistentVolumeClaim/$volume, which would be deleted with it"
    printf '%s\n' "$entry" >>"$facts/held"
    return 0
  fi
  say "deleting $shown, which has left the stack"
  k_objects delete "$kind" "$name" "$@" --ignore-not-found --timeout="${timeout}s" >"$scratch/said" 2>&1 </dev/null ||
    failed "cannot delete $shown: $(cat "$scratch/said")"
}
