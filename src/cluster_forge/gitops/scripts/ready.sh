# How deploy.sh waits until objects are ready.
# shellcheck shell=sh disable=SC2154 # set by options.sh

# await TEXT NUMBER ARGUMENT…: kubectl wait for NUMBER objects, again while there is nothing to look at yet: a new object
# may have no conditions. What is done `meanwhile` is done every `patience` seconds.
patience=$timeout meanwhile=:
await() {
  what=$1 number=$2 began=$(now)
  helped=$began
  shift 2
  until output=$(k_waits wait --timeout="${patience}s" "$@" 2>&1) &&
    [ "$(printf '%s\n' "$output" | grep -c 'condition met$')" -ge "$number" ]; do
    if expired "$began" || printf '%s\n' "$output" | grep -Eq 'Forbidden|Unauthorized'; then
      failed "$what: ${output:-kubectl says nothing}"
    fi
    if [ "$(($(now) - helped))" -ge "$patience" ]; then
      $meanwhile
      helped=$(now)
    fi
    sleep 1
  done
}

columns='NAME:.metadata.name,IN:.metadata.namespace,COMPLETE:.status.conditions[?(@.type=="Complete")].status'
columns="$columns"',FAILED:.status.conditions[?(@.type=="Failed")].status,PHASE:.status.phase'

# finished FILE NUMBER ARGUMENT…: waits for NUMBER Jobs and Pods that kubectl get returns. One that is missing was
# cleaned up after it was complete, if FILE says that it may be.
finished() {
  file=$1 number=$2 began=$(now)
  shift 2
  while :; do
    pending='' where='' seen=0
    if ! ask get "$@" --ignore-not-found --no-headers -o "custom-columns=$columns"; then
      is_transient "$answer" || failed "$answer"
      pending=" $answer" answer=''
    fi
    while read -r name in complete broken phase; do
      [ -n "$name" ] || continue
      seen=$((seen + 1))
      case "$broken/$phase" in True/* | */Failed) job_failed "$name failed" "$in" "$name" ;; esac
      case "$complete/$phase" in True/* | */Succeeded) ;; *) pending="$pending $name" where=$in ;; esac
    done <<END
$answer
END
    if [ "$seen" -lt "$number" ] && [ -z "$pending" ] && ! grep -q ttlSecondsAfterFinished "$here/$file"; then
      failed "$seen of $(counted "$number" Job) in $file there: what is missing was deleted before it was complete"
    fi
    [ -n "$pending" ] || return 0
    if expired "$began"; then failed "not complete after ${timeout}s:$pending" "$where"; fi
    sleep 2
  done
}

# job_failed MESSAGE NAMESPACE NAME: prints the log, which a hook may want deleted.
job_failed() {
  log=$(k logs -n "$2" "job/$3" --all-containers --tail=20 2>/dev/null) ||
    log=$(k logs -n "$2" "$3" --all-containers --tail=20 2>&1) || :
  warn "log of $3:
$log"
  failed "$1" "$2"
}

# wait_for NAMESPACE KIND/NAME [FILE]
wait_for() {
  if [ -n "$print" ]; then say "  wait for $2 in $1"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for $2 in $1 (up to ${timeout}s)"
  case $2 in
    job.*) finished "${3:-}" 1 "$2" -n "$1" ;;
    apiservice.*) await "$2 is not available" 1 --for=condition=Available "$2" ;;
    *) rolled_out "$1" "$2" ;;
  esac
}

# A line "NAMESPACE SERVICE yes|no" for each webhook behind a Service: whether the API server has a certificate to trust.
webhook_template='{{range .webhooks}}{{with .clientConfig}}{{if .service}}{{.service.namespace}} {{.service.name}} {{if .caBundle}}yes{{else}}no{{end}}{{"\n"}}{{end}}{{end}}{{end}}'
endpoint_template='{{range .items}}{{range .endpoints}}{{if ne (printf "%v" .conditions.ready) "false"}}ready{{end}}{{end}}{{end}}'

# webhooks_answer KIND/NAME: waits until the API server can call its webhooks. One whose failures are ignored would be left
# out silently.
webhooks_answer() {
  if [ -n "$print" ]; then say "  wait until the API server can call the webhooks of $1"; fi
  [ -z "$print$dry_run" ] || return 0
  say "waiting for the webhooks of $1 (up to ${timeout}s)"
  began=$(now)
  while :; do
    lack=''
    if ask get "$1" -o "go-template=$webhook_template"; then
      called=$(printf '%s\n' "$answer" | sort -u)
      while read -r in service trusted; do
        [ -n "$service" ] && [ -z "$lack" ] || continue
        if [ "$trusted" = no ]; then
          lack="no caBundle for the webhooks of Service $in/$service yet"
        elif ! ask get endpointslices.discovery.k8s.io -n "$in" -l "kubernetes.io/service-name=$service" -o "go-template=$endpoint_template"; then
          case $answer in *Forbidden*) ;; *) lack=$answer ;; esac
        elif [ -z "$answer" ]; then
          lack="Service $in/$service has no ready endpoint"
        fi
      done <<END
$called
END
    else
      is_transient "$answer" || failed "cannot look at $1: $answer"
      lack=$answer
    fi
    [ -n "$lack" ] || return 0
    if expired "$began"; then failed "$1 cannot be called after ${timeout}s: $lack"; fi
    sleep 1
  done
}

# rolled_out NAMESPACE KIND/NAME
rolled_out() {
  began=$(now)
  while :; do
    code=0
    output=$(k_waits rollout status -n "$1" "$2" --timeout="${timeout}s" 2>&1) || code=$?
    case $code,$output in
      0,*'successfully rolled out'* | 0,*'roll out complete'* | 0,*'rolling update complete'*) return 0 ;;
      [1-9]*'only available for'*) return 0 ;; # updateStrategy OnDelete: kubectl cannot watch it
    esac
    if { [ "$code" -ne 0 ] && ! is_transient "$output"; } || expired "$began"; then
      failed "$2 in $1 is not ready: ${output:-kubectl does not say that it is}" "$1"
    fi
    sleep 1
  done
}
