# kubectl installs Flux, which applies the components.
# shellcheck shell=sh

deploy() {
  say 'Flux'
  part bootstrap/flux
  root_kustomization
}
