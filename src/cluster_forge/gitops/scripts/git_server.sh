# The repository and its server in the cluster.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# The repository, and the server that Argo CD reads it from.
repository() {
  say 'Git server and repository'
  server=''
  [ -n "$image_known$print" ] || with_image bootstrap/git-server-deployment.yaml
  apply bootstrap/git-server.yaml
  while read -r _ _ _ file; do
    case $file in bootstrap/repository-*) apply "$file" </dev/null ;; esac
  done <"$here/$list"
  apply bootstrap/git-server-deployment.yaml "$server"
  wait_for cluster-forge "deployment.apps/$git_server"
  [ -z "$print$dry_run" ] || return 0
  ask delete configmap -n cluster-forge -l "cluster-forge/stack=$stack,cluster-forge/commit,cluster-forge/commit!=$commit" ||
    failed "cannot delete the ConfigMaps of earlier commits: $answer" cluster-forge
}

# with_image FILE: sets `server` to the Deployment with the image of the cluster's Argo CD.
with_image() {
  ask get deployments,statefulsets -n "$namespace" -l app.kubernetes.io/part-of=argocd --no-headers \
    -o 'custom-columns=A:.metadata.labels.app\.kubernetes\.io/component,B:.spec.template.spec.containers[0].image' ||
    die 3 "cannot look for Argo CD in namespace $namespace: $answer"
  image=$(printf '%s\n' "$answer" | sed -n 's/^repo-server  *//p')
  [ -n "$image" ] || die 3 "no repo-server of Argo CD, whose image the Git server runs from, in namespace $namespace: pass --namespace NAME"
  server=$(k set image --local -f "$here/$1" "unpack=$image" "serve=$image" -o yaml 2>&1) ||
    die 3 "cannot set the image of the Git server: $server"
}
