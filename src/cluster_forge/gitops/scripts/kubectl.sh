# How deploy.sh calls kubectl: every call has a bound.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# The user's preferences (kuberc) may let kubectl ask before it deletes, or print something else.
KUBECTL_KUBERC=false
export KUBECTL_KUBERC

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
  trap 'kill "$call" "$guard" 2>/dev/null; sleep 1; kill -KILL "$call" 2>/dev/null; exit 1' HUP INT PIPE TERM
  code=0
  wait "$call" 2>/dev/null || code=$?
  kill "$guard" 2>/dev/null || :
  wait "$guard" 2>/dev/null || :
  if [ -f "$late" ]; then
    rm -f "$late"
    code=1
    printf 'kubectl %s did not end within %ss\n' "$1" "$bound" >>"$err"
  elif [ "$code" -gt 128 ] || { [ "$code" -gt 0 ] && ! [ -s "$out" ] && ! [ -s "$err" ]; }; then
    printf 'kubectl %s ended with exit code %s, and no error of its own\n' "$1" "$code" >>"$err"
  elif [ "$code" -eq 0 ] && grep -Eq '^(error:|Error from server|Unable to connect)' "$err"; then
    code=1 # what is called kubectl hides its exit code
  fi
  plain <"$out"
  plain <"$err" >&2
  exit "$code"
)

# plain: without control characters, which a server or a chart may have written for the terminal.
plain() { tr -d '\001-\010\013-\037\177'; }

# ask ARGUMENT…: sets `answer` to what kubectl prints, or to its error if it fails; warnings are left out.
ask() {
  answer=$(k "$@" 2>"$scratch/said" </dev/null) && return 0
  answer=$answer$(cat "$scratch/said")
  return 1
}

# exists ARGUMENT…: whether kubectl get finds the object.
exists() {
  ask get "$@" --ignore-not-found -o name || failed "cannot look for $1 $2: $answer"
  [ -n "$answer" ]
}

# changed ARGUMENT…: one call that must succeed, again while its errors are temporary.
changed() {
  began=$(now)
  until ask "$@"; do
    if ! is_transient "$answer" || expired "$began"; then failed "cannot $1 $2 $3: $answer"; fi
    sleep 1
  done
}
