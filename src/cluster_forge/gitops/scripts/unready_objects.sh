# What is wrong with the objects of an Application, from their status: Argo CD 3 keeps the health of an object where
# kubectl cannot read it.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# A line OBJECT|TYPE|STATUS|REASON|"MESSAGE" for each condition, and OBJECT|phase|PHASE|| for a phase.
status_template=$(
  tr -d '\n' <<'END'
{{define "object"}}{{$of := .metadata.namespace}}{{$id := printf "%s/%s" .kind .metadata.name}}{{with .status}}
{{range .conditions}}{{$id}}{{with $of}} in {{.}}{{end}}|{{.type}}|{{with .status}}{{.}}{{end}}|
{{with .reason}}{{.}}{{end}}|{{with .message}}{{printf "%q" .}}{{end}}{{"\n"}}{{end}}
{{with .phase}}{{$id}}{{with $of}} in {{.}}{{end}}|phase|{{.}}||{{"\n"}}{{end}}{{end}}{{end}}
{{if .items}}{{range .items}}{{template "object" .}}{{end}}{{else}}{{template "object" .}}{{end}}
END
)

# unready_objects APPLICATION: a line for each condition of its objects that says that something is wrong.
unready_objects() {
  ask get applications.argoproj.io "$1" -n "$namespace" --ignore-not-found \
    -o 'jsonpath={range .status.resources[*]}{.group}|{.version}|{.kind}|{.namespace}|{.name}{"\n"}{end}' || return 0
  printf '%s\n' "$answer" | awk -F '|' '$5 != "" {
      where = $4 == "" ? "" : ",\"namespace\":\"" $4 "\""
      printf "---\n{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"%s}}\n", ($1 == "" ? "" : $1 "/") $2, $3, $5, where
    }' >"$scratch/resources"
  [ -s "$scratch/resources" ] || return 0
  k_objects get -f - --ignore-not-found -o "go-template=$status_template" <"$scratch/resources" 2>/dev/null | awk -F '|' '
    $3 == "" || $1 ~ /^Application\// { next } # what Argo CD says of an Application is printed as it is
    $2 == "phase" { if ($3 ~ /^(Pending|Failed|Lost|Error|Unknown)$/) print $1 ": " $3; next }
    $2 ~ /^(ScalingLimited|Reconciling|Suspended|Terminating|DisruptionTarget|NonStructuralSchema|KubernetesAPIApprovalPolicyConformant)$/ { next }
    $2 == "Progressing" && $1 !~ /^Deployment\// { next } # of others, operators for example, True means that they work
    $3 == ($2 ~ /Fail|Stalled|Degraded|Error|Invalid|NotReady|Unavailable|Unready|Conflict/ ? "False" : "True") { next }
    { text = substr($0, length($1 $2 $3 $4) + 5); print $1 ": " $2 " is " $3 ($4 == "" ? "" : " (" $4 ")") (text == "" ? "" : ": " text) }' |
    head -n 20
}
