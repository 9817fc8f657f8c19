# The AppProject of the stack. Argo CD leaves objects alone that it does not permit, also those that are to be pruned.
# shellcheck shell=sh disable=SC2016,SC2154 # set by the head of deploy.sh and by options.sh

# The rights of a project, one on a line, as JSON after a letter: repositories, destinations, kinds of the cluster and of namespaces.
this_cluster='"server":"https://kubernetes.default.svc"'
kinds='{"group":{{printf "%q" .group}},"kind":{{printf "%q" .kind}}}{{"\n"}}{{end}}'
rights='{{with .spec}}{{range .sourceRepos}}r {{printf "%q" .}}{{"\n"}}{{end}}{{range .destinations}}'
rights=$rights'{{if eq (print .server) "https://kubernetes.default.svc"}}d {"namespace":{{printf "%q" .namespace}},'$this_cluster'}{{"\n"}}{{end}}{{end}}'
rights="$rights{{range .clusterResourceWhitelist}}c $kinds{{range .namespaceResourceWhitelist}}n $kinds{{end}}"

# widen: the project permits what it permits now, too, and what the stack has claimed: Argo CD may prune it later.
widen() {
  if [ -n "$print$dry_run" ]; then permit /dev/null && return; fi
  changed get appprojects.argoproj.io "$project" -n "$namespace" --ignore-not-found -o "go-template=$rights"
  printf '%s\n' "$answer" >"$facts/permitted"
  awk -v me="$stack" -v here="$this_cluster" '$1 == "C" && $2 == me && $3 " " $4 ~ /^[A-Za-z0-9.-]+ [a-z0-9-]+$/ {
    kind = $3; sub(/\..*/, "", kind)
    entry = "{\"group\":\"" substr($3, length(kind) + 2) "\",\"kind\":\"" kind "\"}"
    print "n", entry; if ($4 == "-") print "c", entry; else print "d {\"namespace\":\"" $4 "\"," here "}"
  }' "$facts/all" >>"$facts/permitted"
  permit "$facts/permitted"
}

# permit FILE: applies the project, with the rights in FILE, too.
permit() {
  body=''
  if [ -z "$print" ]; then
    ask patch --local -f "$here/bootstrap/project.yaml" --type=merge -p '{}' -o "go-template=$rights" ||
      failed "cannot read bootstrap/project.yaml: $answer"
    printf '%s\n' "$answer" "d {\"namespace\":\"$namespace\",$this_cluster}" | sort -u - "$1" >"$facts/rights"
    change=$(printf '{"metadata":{"namespace":"%s"},"spec":{"sourceRepos":[%s],"destinations":[%s],"clusterResourceWhitelist":[%s],"namespaceResourceWhitelist":[%s]}}' \
      "$namespace" "$(rights r)" "$(rights d)" "$(rights c)" "$(rights n)")
    ask patch --local -f "$here/bootstrap/project.yaml" --type=merge -o yaml -p "$change" ||
      failed "cannot set the rights of the AppProject $project: $answer"
    body=$answer
  fi
  apply bootstrap/project.yaml "$body"
}
rights() { sed -n "s/^$1 //p" "$facts/rights" | paste -sd , -; }
