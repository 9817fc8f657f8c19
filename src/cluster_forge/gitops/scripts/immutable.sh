# What deploy.sh finds before the first change: fields that cannot change, and are different in the new version.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# The fields of a StatefulSet that cannot change (manifests/immutable_fields.py): the API server names only the others.
stateful_fields='{stateful_fields}'

# immutable_in FILE: a line KIND NAME: REASON for each of its objects that the API server would refuse for such fields, also where
# others have set fields. One object alone is named without its group, and its reasons may take several lines.
immutable_in() {
  k_objects apply --server-side --force-conflicts --field-manager=cluster-forge --dry-run=server -f "$here/$1" 2>&1 </dev/null |
    awk '/ is invalid: /{ if (NR > 1) print "" } { printf "%s ", $0 } END { print "" }' | grep -E "$immutable" |
    sed -n 's/^.* \([A-Z][A-Za-z]*[a-z0-9.-]*\) "\([^"]*\)" is invalid: */\1 \2 /p'
}

# different NAMESPACE NAME FILE: those of a StatefulSet that are different.
different() {
  for path in $stateful_fields; do
    ask create --dry-run=client -f "$here/$3" -o "jsonpath={.kind}/{.metadata.namespace}/{.metadata.name} {.$path}{\"\\n\"}" || return 0
    wanted=$(printf '%s\n' "$answer" | sed -n "s|^StatefulSet/$1/$2 ||p")
    ask get statefulsets.apps "$2" -n "$1" -o "jsonpath={.$path}" || return 0
    [ -z "$wanted" ] || [ "$answer" = "$wanted" ] || printf '%s ' "$path"
  done
}

# check_immutable: refuses the deployment, or with --recreate notes in $scratch/recreated what is deleted: FILE KIND NAMESPACE
# NAME CASCADE. Its Pods stay, unless the object would not find them again. CRDs must keep the versions in which objects may be
# stored: the API server could not read these objects.
check_immutable() {
  : >"$scratch/recreated"
  grep -q '^L ' "$facts/all" || return 0 # nothing of the stack is in the cluster
  lost=$(awk 'FNR == NR { for (i = 2; i <= NF; i++) kept[$1, $i]; next }
    $1 == "L" && $2 == "CustomResourceDefinition" && $8 != "<none>" { for (i = split($8, stored, ","); i; i--) if (!(($5, stored[i]) in kept)) print "  " $2 "/" $5 ": " stored[i] }' \
    "$here/bootstrap/versions" "$facts/all")
  [ -z "$lost" ] || die 3 "objects may be stored in versions that the new CRDs do not have:
$lost
nothing was changed; deploy a version that has both first, and have all objects stored in the newer one; or, where there are none, \
cluster-forge deploy --recreate creates the CRD again"
  blocked='' lost=''
  while read -r _ _ _ file; do
    case $file in */objects.yaml) ;; *) continue ;; esac
    immutable_in "$file" >"$scratch/invalid"
    while read -r kind name reason; do
      awk -v kind="$kind" -v name="$name" '($1 == kind || index($1, kind ".") == 1) && $3 == name { print $1, $2 }' "$here/bootstrap/objects" >"$scratch/places"
      if [ "$(wc -l <"$scratch/places")" -eq 1 ]; then
        read -r kind where <"$scratch/places"
      else
        where=- lost=", or let cluster-forge deploy --recreate find which $kind/$name it is"
      fi
      case $kind in StatefulSet.*) reason="$(different "$where" "$name" "$file")$reason" ;; esac
      blocked="$blocked  $kind/$where/$name: $reason
"
      case $kind in PersistentVolume*) lost=': deleting a volume would delete its data' ;; esac
      case $reason in *spec.selector*) cascade=background ;; *) cascade=orphan ;; esac
      printf '%s\n' "$file $kind $where $name $cascade" >>"$scratch/recreated"
    done <"$scratch/invalid"
  done <"$here/$list"
  [ -z "$blocked" ] || [ "$recreate$lost" = yes ] || die 3 "fields that cannot change are different in the new version:
${blocked}nothing was changed; keep the old values in the stack${lost:-, or pass --recreate: the objects are deleted and created again, \
volumes stay, and so do Pods unless spec.selector changes}"
}

# recreate FILE: deletes those of its objects that are created again.
recreate() {
  while read -r file kind where name cascade; do
    [ "$file" = "$1" ] || continue
    say "recreating $kind/$name, whose fields cannot change"
    [ "$where" != - ] || where=default
    volumes
    changed get "$kind" "$name" -n "$where" -o 'jsonpath={.metadata.uid}'
    volume=$(volume_of "$answer")
    [ -z "$volume" ] || [ "$cascade" = orphan ] || failed "cannot delete $kind/$name: it owns PersistentVolumeClaim/$volume"
    changed delete "$kind" "$name" -n "$where" --ignore-not-found --cascade="$cascade" --timeout="${timeout}s"
  done <"$scratch/recreated"
}

volume_columns='IN:.metadata.namespace,NAME:.metadata.name,KINDS:.metadata.ownerReferences[*].kind,UIDS:.metadata.ownerReferences[*].uid'

# volumes: those that have owners, since they would go with them.
volumes() {
  ask get persistentvolumeclaims --all-namespaces --no-headers -o "custom-columns=$volume_columns" ||
    failed "cannot see which volumes have owners: $answer"
  printf '%s\n' "$answer" >"$facts/volumes"
}

# volume_of UID: a volume that the object owns, and that would be deleted with it; not one of a Pod alone, which is meant to.
volume_of() {
  awk -v uid="$1" '$3 !~ /(^|,)Pod(,|$)/ && index("," $4 ",", "," uid ",") { print $1 "/" $2; exit }' "$facts/volumes"
}
