# The Argo CD in the cluster applies the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

check_permissions() {
  for what in applications.argoproj.io deployments.apps configmaps namespaces; do
    k auth can-i create "$what" --all-namespaces >/dev/null 2>&1 || give_up 3 "you may not create $what in this cluster"
  done
  k get crd applications.argoproj.io >/dev/null 2>&1 ||
    give_up 3 'there is no Argo CD in this cluster: install it, or set gitops.install: true and cast again'
  health=$(k get configmap argocd-cm -n "$namespace" --ignore-not-found \
    -o 'jsonpath={.data.resource\.customizations\.health\.argoproj\.io_Application}' 2>/dev/null) || health=''
  [ -n "$health" ] || complain "argocd-cm in $namespace has no resource.customizations.health.argoproj.io_Application: Argo CD will not keep the order of the waves"
}

deploy() {
  repository
  root_application
}
