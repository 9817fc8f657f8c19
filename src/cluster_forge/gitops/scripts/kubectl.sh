# How deploy.sh calls kubectl: every call has a bound.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# One request of kubectl: as long as --timeout, but at least 5 and at most 60 seconds.
request=$timeout
[ "$request" -ge 5 ] || request=5
[ "$request" -le 60 ] || request=60

k() { bounded "$((request + 10))" "$request" "$@"; }
# For several objects in one call.
k_objects() { bounded "$((timeout + request + 10))" "$request" "$@"; }
# For kubectl wait and rollout status, whose one request lasts as long as they wait.
k_waits() { bounded "$((timeout + 10))" 0 "$@"; }

# bounded SECONDS REQUEST ARGUMENT…: kubectl, ended after SECONDS even if it ignores --request-timeout. Its output goes
# through files: a program that it leaves behind would keep a pipe open.
bounded() (
  bound=$1 request=$2 late=$scratch/late out=$scratch/out err=$scratch/err
  shift 2
  trap - EXIT
  {
    kubectl ${context:+--context "$context"} ${kubeconfig:+--kubeconfig "$kubeconfig"} --request-timeout="${request}s" \
      "$@" <&3 3<&- >"$out" 2>"$err" &
  } 3<&0
  call=$!
  (
    trap - EXIT HUP INT PIPE TERM
    end=$(($(now) + bound))
    while sleep 1 && [ "$(now)" -lt "$end" ]; do :; done
    : >"$late"
    kill "$call"
    sleep 2
    kill -KILL "$call"
  ) </dev/null >/dev/null 2>&1 &
  guard=$!
  trap 'kill "$call" "$guard" 2>/dev/null; exit 1' HUP INT PIPE TERM
  code=0
  wait "$call" 2>/dev/null || code=$?
  kill "$guard" 2>/dev/null || :
  wait "$guard" 2>/dev/null || :
  cat "$out"
  cat "$err" >&2
  [ ! -f "$late" ] || {
    rm -f "$late" "$out" "$err"
    printf 'kubectl %s did not end within %ss\n' "$1" "$bound" >&2
    exit 1
  }
  exit "$code"
)
