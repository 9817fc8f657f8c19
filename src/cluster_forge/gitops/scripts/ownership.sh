# Whose the objects of the stack are in the cluster: what belongs to others is never taken over (ADR 0018).
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

claim_columns='STACK:.metadata.labels.cluster-forge/stack,NAME:.metadata.name'
application_columns='NAME:.metadata.name,STACK:.metadata.labels.cluster-forge/stack,PATH:.spec.source.path'
owner_columns='KIND:.kind,API:.apiVersion,IN:.metadata.namespace,NAME:.metadata.name,TRACKED:.metadata.annotations.argocd\.argoproj\.io/tracking-id'
owner_columns="$owner_columns"',RELEASE:.metadata.annotations.meta\.helm\.sh/release-name,STORED:.status.storedVersions[*],GOING:.metadata.deletionTimestamp,MANAGERS:.metadata.managedFields[*].manager'

# owners: the facts, one on a line, each with a letter for what it is about.
# A: an Application in the cluster. C: an object that a stack claims. W: an object of this stack. L: one in the cluster.
owners() {
  ask get applications.argoproj.io -n "${namespace:-argocd}" --no-headers -o "custom-columns=$application_columns" ||
    case $answer in *"the server doesn't have a resource type"*) answer='' ;; *) unseen ;; esac
  lines A
  ask get configmaps -n cluster-forge -l cluster-forge/claim --no-headers -o "custom-columns=$claim_columns" || unseen
  printf '%s\n' "$answer" >"$facts/claims"
  while read -r other name; do
    [ -n "$name" ] || continue
    ask get configmap "$name" -n cluster-forge -o 'jsonpath={.data.objects}' || unseen
    lines "C $other"
  done <"$facts/claims"
  sed 's/^/W /' "$here/bootstrap/objects"
  present
}

# lines WORD: the answer of kubectl, with WORD before each line.
lines() { printf '%s\n' "$answer" | sed -n "s/./$1 &/p"; }
# unseen: a fact that kubectl has not given.
unseen() {
  lines '!'
  answer=''
}

# present: those objects that are in the cluster. Kinds that the cluster does not serve yet have none: they are left out,
# because kubectl get prints nothing at all if it does not know one of them.
present() {
  awk 'FNR == NR {
      kind = $1; sub(/.*\//, "", kind)
      api = substr($1, 1, length($1) - length(kind) - 1)
      group = api; if (!sub(/\/[^\/]*$/, "", group)) group = ""
      version[kind (group == "" ? "" : "." group)] = api
      next
    }
    $1 in version {
      kind = $1; sub(/\..*/, "", kind)
      where = $2 == "-" ? "" : ",\"namespace\":\"" $2 "\""
      printf "---\n{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"%s}}\n", version[$1], kind, $3, where
    }' "$scratch/served" "$here/bootstrap/objects" >"$facts/names"
  [ -s "$facts/names" ] || return 0
  answer=$(k_objects get -f - --ignore-not-found --no-headers -o "custom-columns=$owner_columns" <"$facts/names" 2>"$facts/errors") || {
    answer=$(cat "$facts/errors")
    unseen
  }
  lines L
}

# judge: from the facts to a line for each object that belongs to others (`never` to be taken over, or with --adopt), for each
# that another Application of the stack has (`move`), for each Application of the older naming (`older`), and for each object
# with data that has left the stack (`stays`), and for each other one that kubectl prunes (`leaves`); `going` is being deleted.
judge() {
  awk -v me="$stack" -v root="${root:-}" -v prunes="${applyset:-}" '
    function shown(id, word) { split(id, word, " "); return word[1] "/" (word[2] == "-" ? "" : word[2] "/") word[3] }
    function foreign(id, owner, way) { if (!(id in judged)) print way, shown(id) "|" owner; judged[id] = 1 }
    $1 == "A" { stack_of[$2] = $3; path_of[$2] = $4; if ($3 == me && index($2, ".") == 0) { older[$2] = $4; bringing = 1 } }
    $1 == "C" { id = $3 " " $4 " " $5 }
    $1 == "C" && $2 == me { ours[id] = 1; if ($3 ~ /^(Namespace|PersistentVolume|PersistentVolumeClaim|VolumeSnapshot(Content)?\.snapshot\.storage\.k8s\.io|CustomResourceDefinition\.apiextensions\.k8s\.io)$/) data[id] = 1 }
    $1 == "C" && $2 != me && $6 != "stays-behind" { claimed[id] = $2 }
    $1 == "C" && $2 != me && $6 == "stays-behind" { behind[id] = $2 }
    $1 == "W" { wanted[$2 " " $3 " " $4] = $5; named[$5] = 1 }
    $1 == "!" { sub(/^! */, "error "); print }
    $1 == "L" {
      group = $3; if (!sub(/\/[^\/]*$/, "", group)) group = ""
      id = $2 (group == "" ? "" : "." group) " " ($4 == "<none>" ? "-" : $4) " " $5
      if ($9 != "<none>") print "going", shown(id)
      if (id in behind) claimed[id] = behind[id]
      managers = " "; for (i = 10; i <= NF; i++) managers = managers $i " "
      gsub(/,/, " ", managers)
      app = $6; sub(/:.*/, "", app); sub(/^[^_]*_/, "", app)
      if ($6 != "<none>" && app != wanted[id] && (app in stack_of)) {
        if (stack_of[app] != me) foreign(id, "the Application " app (stack_of[app] == "<none>" ? "" : " of the stack " stack_of[app]), "never")
        else if (index(app, ".") && wanted[id] != "-") print "move", id, wanted[id], app, $6
      } else if ($6 != "<none>" && app != wanted[id] && !(id in ours) && index(app, me ".") != 1) foreign(id, "the former Application " app ((id in claimed) ? " of the stack " claimed[id] : ""), "adopt")
      else if ((id in claimed) && !(id in ours)) foreign(id, "the stack " claimed[id], "adopt")
      else if ((id in ours) || $6 != "<none>" || managers ~ / cluster-forge /) next
      else if ($7 != "<none>") foreign(id, "the Helm release " $7, "adopt")
      else if ($2 == "Namespace" || (bringing && managers ~ / argocd/)) next
      else foreign(id, "no stack (its fields are those of" (managers == " " ? " unknown managers" : substr(managers, 1, length(managers) - 1)) ")", "adopt")
    }
    END {
      if (root != "") named[root] = 1
      for (app in named) if ((app in stack_of) && stack_of[app] != me) print "never Application/" app "|" (stack_of[app] == "<none>" ? "no stack" : "the stack " stack_of[app])
      if (root == "") for (app in stack_of) if (stack_of[app] == me) print "never Application/" app "|this stack as Argo CD delivers it"
      for (id in data) if (!(id in wanted)) print "stays", id
      if (prunes != "") for (id in ours) if (!(id in data) && !(id in wanted)) print "leaves", id
      for (id in claimed) if (id in wanted) foreign(id, "the stack " claimed[id], "adopt")
      for (app in older) print (path_of[app] ~ /argo-apps$/ ? "older-root" : "older"), app
    }' | sort
}

# own: refuses what belongs to others, and claims the rest. Called before the first change.
own() {
  not_by_flux
  facts=$scratch/facts
  mkdir "$facts" || die 1 "cannot make the folder $facts: set TMPDIR to one that can be written"
  owners >"$facts/all"
  verdict=$(judge <"$facts/all")
  [ -z "$(of error)" ] || die 3 "cannot see whose the objects are: $(of error)"
  refuse
  check_immutable
  [ -z "$dry_run" ] || return 0
  claim
  [ -n "${root:-}" ] || return 0
  bring_over
  hand_over
}

# not_by_flux: where Flux is not to deliver the stack, it does not: it would go on, and prune everything when it is ended.
not_by_flux() {
  [ -z "${kustomizations:-}" ] || return 0
  group=kustomize.toolkit.fluxcd.io
  ask get "kustomizations.$group" --all-namespaces -l "cluster-forge/stack=$stack" --no-headers \
    -o custom-columns=IN:.metadata.namespace,NAME:.metadata.name ||
    case $answer in *"the server doesn't have a resource type"*) answer='' ;; *) die 3 "cannot see what Flux delivers: $answer" ;; esac
  [ -z "$answer" ] || die 3 "Flux delivers the stack $stack here, and is still at work:
$(printf '%s\n' "$answer" | awk '{ print "  Kustomization/" $1 "/" $2 }')
nothing was changed; end them and keep their objects, the root first: kubectl patch kustomizations.$group NAME -n NAMESPACE \
--type merge -p '{\"spec\":{\"prune\":false}}' and kubectl delete kustomizations.$group NAME -n NAMESPACE"
}

# of WORD: the lines of the verdict that begin with it, without it.
of() { printf '%s\n' "$verdict" | sed -n "s/^$1 //p"; }

refuse() {
  [ -z "$(of going)" ] || die 3 "these objects are being deleted, and what is applied goes with them:
$(of going | sed 's/^/  /')
nothing was changed; wait until they are gone: metadata.finalizers, or status.conditions of a namespace, says what holds them"
  if [ -n "$(of never)" ]; then
    warn 'these objects belong to others that are still at work:'
    of never | sed -e 's/^/  /' -e 's/|/: belongs to /' >&2
    die 3 "nothing was changed; leave the objects out of one of the two, or end the other Application and keep its objects (its root \
first; remove metadata.finalizers before): kubectl delete applications.argoproj.io NAME -n ${namespace:-argocd} --cascade=orphan"
  fi
  [ -n "$(of adopt)" ] || return 0
  if [ -z "$adopt" ]; then
    warn 'these objects are in the cluster, and not of this stack:'
    of adopt | sed -e 's/^/  /' -e 's/|/: belongs to /' >&2
    die 3 'nothing was changed; leave the objects out of the stack, or take them over: pass --adopt (and --force-conflicts for fields that others have set to other values)'
  fi
  of adopt | sed -e 's/^/adopting /' -e 's/|/ from /'
}

# claim: the list of the objects, for other stacks and for the next deployment. What stays behind with data stays claimed, so
# that a later or an earlier version of the stack may have it again.
claim() {
  exists namespace cluster-forge || created namespace cluster-forge
  for other in $(of adopt | sed -n 's/.*|.*the stack //p' | sort -u); do
    say "taking the adopted objects from the claim of the stack $other"
    changed get configmap "claim-$other" -n cluster-forge -o 'jsonpath={.data.objects}'
    printf '%s\n' "$answer" | awk 'FNR == NR { ours[$1 " " $2 " " $3]; next } !(($1 " " $2 " " $3) in ours)' \
      "$here/bootstrap/objects" - >"$facts/theirs"
    claimed_by "$other" "$facts/theirs"
  done
  if exists configmap "claim-$stack" -n cluster-forge; then
    claim_again
  else
    created -f "$here/bootstrap/claim.yaml"
  fi
  run=$(uname -n)/$$/$(now)
  changed annotate configmap "claim-$stack" -n cluster-forge --overwrite "cluster-forge/run=$run"
}

# claim_again: the claim is there, and keeps what stays behind with data, what is to be pruned, or the rest of a narrowed stack.
claim_again() {
  if [ -n "$narrowed" ]; then
    with_the_rest >"$facts/ours"
  elif [ -n "$(of stays)$(of leaves)" ]; then
    {
      of stays | sed 's/$/ stays-behind/'
      of leaves | sed 's/$/ leaves/'
    } | cat "$here/bootstrap/objects" - >"$facts/ours"
  else
    changed replace -f "$here/bootstrap/claim.yaml"
    return
  fi
  claimed_by "$stack" "$facts/ours" "$(as_parent "$facts/ours")"
}

# as_parent FILE: what the claim with the lines of FILE says of itself, as JSON that ends with a comma: the environment, and,
# where kubectl applies the objects, their kinds and namespaces (KEP-3659).
as_parent() {
  label=null
  [ -z "$environment" ] || label="\"$environment\""
  printf '"metadata":{"labels":{"cluster-forge/environment":%s' "$label"
  if [ -n "$applyset" ]; then
    printf ',"applyset.kubernetes.io/id":"%s"},"annotations":{"applyset.kubernetes.io/tooling":"%s"' "$applyset" "$tooling"
    printf ',"applyset.kubernetes.io/contains-group-kinds":"%s"' "$(cut -d ' ' -f 1 "$1" | sort -u | paste -sd , -)"
    printf ',"applyset.kubernetes.io/additional-namespaces":"%s"' \
      "$(cut -d ' ' -f 2 "$1" | sort -u | grep -v -e '^-$' -e '^cluster-forge$' | paste -sd , -)"
  fi
  printf '}},'
}

# alone: of two deploy.sh of one stack at the same time, the earlier one ends: together they would mix two versions.
alone() {
  [ -z "$print$dry_run" ] || return 0
  changed get configmap "claim-$stack" -n cluster-forge -o 'jsonpath={.metadata.annotations.cluster-forge/run}'
  [ "$answer" = "$run" ] ||
    failed "another deploy.sh has begun to deploy the stack $stack (HOST/PROCESS/TIME: ${answer:-unknown}); this one ends"
}

# created ARGUMENT…: kubectl create. What another deployment creates at the same time is there, too.
created() { ask create "$@" || case $answer in *AlreadyExists*) ;; *) failed "cannot create $*: $answer" ;; esac; }

# claimed_by STACK FILE [MEMBER]: its claim gets the lines of FILE, and MEMBER (JSON that ends with a comma).
claimed_by() {
  printf '{%s"data":{"objects":"%s"}}' "${3:-}" "$(sed 's/$/\\n/' "$2" | tr -d '\n')" >"$facts/patch"
  changed patch configmap "claim-$1" -n cluster-forge --type=merge --patch-file="$facts/patch"
}

# bring_over: Applications of this stack from before names had the stack are deleted without their objects, the root first.
bring_over() {
  for name in $(of older-root) $(of older); do
    say "deleting the Application $name of the older naming; its objects stay"
    changed patch applications.argoproj.io "$name" -n "$namespace" --type=merge -p '{"metadata":{"finalizers":null},"operation":null}'
    changed delete applications.argoproj.io "$name" -n "$namespace" --cascade=orphan --ignore-not-found
  done
}

# hand_over: objects that another component has now get its tracking id, so that the former one does not prune them. Until
# the root is applied, neither it nor the former Applications sync by themselves, nor do those that get the objects: at their
# revision of before they would prune them.
hand_over() {
  [ -n "$(of move)" ] || return 0
  for name in "$root" $(of move | cut -d ' ' -f 4,5 | tr ' ' '\n' | sort -u); do
    exists applications.argoproj.io "$name" -n "$namespace" || continue
    changed patch applications.argoproj.io "$name" -n "$namespace" --type=merge -p '{"spec":{"syncPolicy":{"automated":null}}}'
  done
  of move >"$facts/moves"
  while read -r kind where name to from id; do
    say "moving $kind $name from the Application $from to $to"
    kind=$(printf '%s' "$kind" | tr '[:upper:]' '[:lower:]')
    if [ "$where" = - ]; then set --; else set -- -n "$where"; fi
    changed annotate "$kind" "$name" "$@" --overwrite "argocd.argoproj.io/tracking-id=$to:${id#*:}"
  done <"$facts/moves"
}
