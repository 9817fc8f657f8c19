# What the cluster keeps of this deployment, for `cluster-forge history`: not the files, so that no rollback leads to it (ADR 0039).
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

began_at=''
today() { date -u +%Y-%m-%dT%H:%M:%SZ; }

# record RESULT ENDED: the release as JSON in JSON.
record() {
  printf '{\\"number\\":%s,\\"stack\\":\\"%s\\",\\"version\\":\\"%s\\",\\"environment\\":\\"%s\\",' "$release" "$stack" "$version" "$environment"
  printf '\\"run\\":\\"%s\\",\\"tool\\":\\"deploy.sh\\",\\"began\\":\\"%s\\",\\"ended\\":\\"%s\\",\\"result\\":\\"%s\\"}' "$run" "$began_at" "$2" "$1"
}

numbers() {
  ask get secrets -n cluster-forge -l "cluster-forge/stack=$stack,$1" --no-headers -o 'custom-columns=N:.metadata.labels.cluster-forge/release' ||
    answer=''
  printf '%s\n' "$answer" | grep -E '^[0-9]{1,9}$' | sort -n
}

release_begins() {
  [ -z "$dry_run" ] || return 0
  began_at=$(today)
  release=$(($(numbers cluster-forge/release | tail -n 1) + 1))
  printf '{"apiVersion":"v1","kind":"Secret","type":"cluster-forge/release","metadata":{"name":"release.%s.%s","namespace":"cluster-forge","labels":{%s}},"stringData":{"release":"%s"}}\n' \
    "$stack" "$release" "\"app.kubernetes.io/managed-by\":\"cluster-forge\",\"cluster-forge/stack\":\"$stack\",\"cluster-forge/release\":\"$release\",\"cluster-forge/by\":\"deploy.sh\"" \
    "$(record running '')" >"$facts/release"
  if ! ask create -f "$facts/release"; then
    warn "cannot keep this deployment as a release: $answer"
    release=''
    return 0
  fi
  for old in $(numbers cluster-forge/by=deploy.sh); do
    [ "$old" -gt "$((release - 10))" ] || ask delete secret "release.$stack.$old" -n cluster-forge --ignore-not-found || :
  done
}

# release_ends RESULT
release_ends() {
  [ -n "$release" ] || return 0
  printf '{"stringData":{"release":"%s"}}' "$(record "$1" "$(today)")" >"$facts/release"
  ask patch secret "release.$stack.$release" -n cluster-forge --type=merge --patch-file="$facts/release" ||
    warn "cannot write the result of release $release: $answer"
  release=''
}
