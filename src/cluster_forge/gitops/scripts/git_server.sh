# The repository and its server in the cluster.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh and by options.sh

# The repository and the server that Argo CD reads it from.
repository() {
  say 'the Git server and its repository'
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

# with_image FILE: the Deployment with the image that the cluster's Argo CD runs from.
with_image() {
  image=$(k get deployments,statefulsets -n "$namespace" -l app.kubernetes.io/part-of=argocd --no-headers \
    -o 'custom-columns=A:.metadata.labels.app\.kubernetes\.io/component,B:.spec.template.spec.containers[0].image' |
    sed -n 's/^repo-server  *//p')
  [ -n "$image" ] || give_up 3 "Argo CD's repository server, whose image the Git server runs from, is not in the namespace $namespace (--namespace NAME)"
  k set image --local -f "$1" "unpack=$image" "serve=$image" -o yaml
}
