# What deploy.sh checks and asks before the first change.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# digests FILE…: a line DIGEST FILE for each, with the program that this machine has for it.
digests() {
  if command -v sha256sum >/dev/null; then
    sha256sum "$@"
  elif command -v shasum >/dev/null; then
    shasum -a 256 "$@"
  elif command -v openssl >/dev/null; then
    openssl dgst -sha256 -r "$@"
  else
    return 127
  fi | sed 's/ [ *]/ /'
}

# Every file is there, as cast wrote it.
check_files() {
  [ -f "$here/$list" ] || die 1 "$list is missing beside deploy.sh: copy the whole folder, or cast the stack again"
  if ! actual=$(cd "$here" && digests "$list") || [ -z "$actual" ]; then
    warn 'no sha256sum, shasum or openssl: only the sizes of the files are checked'
    check_sizes
    return
  fi
  [ "$actual" = "$list_digest $list" ] || broken_files "$list"
  set --
  while read -r _ _ _ file; do
    [ -f "$here/$file" ] || broken_files "$file"
    set -- "$@" "$file"
  done <"$here/$list"
  wrong=$({
    sed 's/^\([^ ]*\) [^ ]* [^ ]* /\1 /' "$here/$list"
    cd "$here" && digests "$@"
  } | sort | uniq -u | sed 's/^[^ ]* //' | sort -u)
  [ -z "$wrong" ] || broken_files "$wrong"
}

check_sizes() {
  [ "$(wc -c <"$here/$list")" -eq "$list_size" ] || broken_files "$list"
  while read -r _ size _ file; do
    if ! [ -f "$here/$file" ] || [ "$(wc -c <"$here/$file")" -ne "$size" ]; then broken_files "$file"; fi
  done <"$here/$list"
}

broken_files() {
  die 1 "missing, or not as cast wrote it: $1
nothing was changed; copy the whole folder of the stack again, or cast it again"
}

# Checks before the first change.
check_cluster() {
  command -v kubectl >/dev/null || die 3 'kubectl not found: install it, or add it to PATH'
  ask get --raw /version || die 3 "cannot reach the cluster: $answer
make 'kubectl get nodes' work with the same context and kubeconfig, or choose others: --context, --kubeconfig"
  minor=$(printf '%s\n' "$answer" | sed -n 's/.*"minor": *"\([1-9][0-9]\{0,3\}\)[^0-9].*/\1/p' | tail -n 1)
  [ -n "$minor" ] || die 3 "cannot read the version of the cluster: ${answer:-kubectl printed nothing}"
  check_version "$minor"
  check_permissions
  check_lease
  check_apis
  check_secrets
}

# check_lease: a `cluster-forge deploy` that is at work renews the Lease of the stack every few seconds.
check_lease() {
  began=$(now) seen=''
  while ask get lease "deploy-$stack" -n cluster-forge --ignore-not-found \
    -o 'jsonpath={.spec.holderIdentity} since {.spec.acquireTime}|{.spec.renewTime}' && [ -n "$answer" ]; do
    [ -n "$seen" ] || say "${answer%|*} has the lease of the stack: ended if it is not renewed for 30 s"
    [ "${seen:-$answer}" = "$answer" ] || die 3 "the stack $stack is being deployed by ${answer%|*}; run deploy.sh again once it has ended"
    seen=$answer
    [ "$(($(now) - began))" -le 30 ] || return 0
    sleep 2
  done
}

check_version() {
  off=$(($1 - target_minor))
  if [ "$1" -ge 25 ] && [ "$off" -ge -1 ] && [ "$off" -le 1 ]; then
    [ "$off" -eq 0 ] || warn "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1: supported, one minor apart"
  elif [ -n "$force_version" ]; then
    warn "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1: not supported, continuing because of --force-version"
  else
    die 3 "the stack targets Kubernetes 1.$target_minor, the cluster is 1.$1 (supported: at least 1.25, one minor apart): \
set target.kubernetes and forge again, or pass --force-version"
  fi
}

# The kinds that the stack uses and does not define itself: the cluster must serve them. What it serves is in $scratch/served,
# a line VERSION/KIND for each kind.
check_apis() {
  ask api-resources --no-headers || : # an API that is down makes it fail, and the others are listed
  printf '%s\n' "$answer" | awk 'NF > 2 && $(NF - 1) ~ /^(true|false)$/ {print $(NF - 2) "/" $NF}' >"$scratch/served"
  [ -s "$scratch/served" ] || die 3 "the cluster does not list what it serves: $answer"
  served=" $(tr '\n' ' ' <"$scratch/served")" missing=''
  for api in $apis; do
    case $served in *" $api "*) continue ;; esac
    check_api "${api%/*}" "${api##*/}" || missing="$missing $api"
  done
  [ -n "$missing" ] || return 0
  if [ -n "$allow_missing_apis" ]; then
    warn "the cluster does not serve$missing: continuing because of --allow-missing-apis"
  else
    die 3 "the cluster does not serve what the stack needs:$missing
install what defines these kinds, or set target.kubernetes and forge again; if an operator of the stack defines them \
at run time, pass --allow-missing-apis"
  fi
}

# check_api VERSION KIND: for a version that kubectl api-resources does not list because the API prefers another.
check_api() {
  case $1 in */*) path=/apis/$1 ;; *) path=/api/$1 ;; esac
  if ask get --raw "$path"; then
    case $answer in *'"kind":"'"$2"'"'* | *'"kind": "'"$2"'"'*) return 0 ;; esac
    return 1
  fi
  case $answer in *NotFound* | *'could not find the requested resource'* | *'not found'*) return 1 ;; esac
  warn "cannot see whether the cluster serves $1/$2: $answer"
}

# The Secrets that the stack expects, each NAMESPACE/NAME/KEY,KEY: their keys are looked at, never their values.
check_secrets() {
  absent=''
  for secret in $secrets; do
    where=${secret%%/*} keys=${secret##*/} name=${secret#*/}
    name=${name%%/*}
    if ! ask get secret "$name" -n "$where" --ignore-not-found -o "go-template=its keys: {{range \$key, \$value := .data}}{{\$key}} {{end}}"; then
      [ -n "$allow_missing_secrets" ] || die 3 "cannot look for the Secret $name in namespace $where \
(--allow-missing-secrets goes on without): $answer"
      warn "cannot look for the Secret $name in namespace $where: $answer"
      continue
    fi
    case $answer in *'its keys: '*) there=$answer ;; *) there='' ;; esac
    lacks=''
    for key in $(printf '%s' "$keys" | tr , ' '); do
      case " $there " in *" $key "*) ;; *) lacks="$lacks $key" ;; esac
    done
    [ -n "$lacks$there" ] || lacks=' everything'
    [ -z "$lacks" ] || absent="$absent$(absent_secret)
"
  done
  [ -n "$absent" ] || return 0
  if [ -n "$allow_missing_secrets$dry_run" ]; then
    warn "Secrets that the stack expects are missing:
$absent"
  else
    die 3 "Secrets that the stack expects are missing; make them, then run deploy.sh again (or pass --allow-missing-secrets):
$absent"
  fi
}

# absent_secret: how to make what is missing.
absent_secret() {
  printf '\n  # Secret %s in namespace %s lacks:%s\n' "$name" "$where" "$lacks"
  command=kubectl
  [ -z "$context" ] || command="$command --context '$context'"
  [ -z "$kubeconfig" ] || command="$command --kubeconfig '$kubeconfig'"
  if [ -n "$there" ]; then
    added=''
    for key in $lacks; do
      added="$added${added:+,}\"$key\":\"…\""
    done
    printf "  %s patch secret %s --namespace %s --patch '{\"stringData\":{%s}}'" "$command" "$name" "$where" "$added"
    return
  fi
  made="$command create namespace $where"
  case $absent in *"  $made
"*) ;; *) { ask get namespace "$where" --ignore-not-found -o name && [ -n "$answer" ]; } || printf '  %s\n' "$made" ;; esac
  printf '  %s create secret generic %s --namespace %s' "$command" "$name" "$where"
  for key in $(printf '%s' "$keys" | tr , ' '); do
    printf " --from-literal=%s='…'" "$key"
  done
}

# Without a terminal there is no confirmation.
can_ask() { [ -n "$yes$dry_run$print" ] || [ -t 0 ] || die 2 'not a terminal: pass --yes'; }

confirm() {
  ask config view --minify -o 'jsonpath={.current-context}|{.clusters[0].cluster.server}|{.contexts[0].context.namespace}' || answer='||'
  case $answer in *'|'*'|'*) ;; *) answer='||' ;; esac
  name=${answer%%|*} server=${answer#*|} where=${answer##*|}
  server=${server%|*}
  [ -n "$server" ] || server="${KUBERNETES_SERVICE_HOST:+https://$KUBERNETES_SERVICE_HOST}"
  say "stack $stack, $summary, to ${server:-the server that kubectl finds by itself}, \
context ${context:-${name:-(none)}}, namespace ${namespace:-${where:-default}}"
  [ -z "$yes$dry_run" ] || return 0
  printf 'Deploy? [y/N] '
  read -r answer || answer=''
  case $answer in
    [yY] | [yY][eE][sS]) ;;
    *) die 1 'nothing was changed' ;;
  esac
}
