# kubectl installs Argo CD, which applies the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

deploy() {
  say "Argo CD in namespace $namespace"
  part bootstrap/argocd
  repository
  root_application
}
