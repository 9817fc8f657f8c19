# The repository and its server in the cluster.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# The repository, and the server that Argo CD reads it from.
repository() {
  say 'Git server and repository'
  server=''
  [ -n "$image_known$print" ] || server=$(with_image bootstrap/git-server-deployment.yaml)
  apply bootstrap/git-server.yaml
  for file in bootstrap/repository-*.yaml; do
    apply "$file"
  done
  apply bootstrap/git-server-deployment.yaml "$server"
  wait_for cluster-forge "deployment.apps/$git_server"
  [ -z "$print$dry_run" ] || return 0
  k delete configmap -n cluster-forge -l "cluster-forge/stack=$stack,cluster-forge/commit!=$commit" >/dev/null
}

# with_image FILE: the Deployment with the image of the cluster's Argo CD.
with_image() {
  image=$(k get deployments,statefulsets -n "$namespace" -l app.kubernetes.io/part-of=argocd --no-headers \
    -o 'custom-columns=A:.metadata.labels.app\.kubernetes\.io/component,B:.spec.template.spec.containers[0].image' |
    sed -n 's/^repo-server  *//p')
  [ -n "$image" ] || die 3 "no repo-server of Argo CD, whose image the Git server runs from, in namespace $namespace: pass --namespace NAME"
  k set image --local -f "$1" "unpack=$image" "serve=$image" -o yaml
}
