# The Argo CD in the cluster applies the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

check_permissions() {
  for what in applications.argoproj.io deployments.apps configmaps namespaces; do
    allowed=$(k auth can-i create "$what" --all-namespaces 2>&1) ||
      die 3 "missing permission: create $what (kubectl auth can-i create $what --all-namespaces: $allowed)"
  done
  answer=$(k get crd applications.argoproj.io 2>&1) ||
    die 3 "Argo CD is not installed in this cluster: install it, or set gitops.install: true and cast again ($answer)"
  answer=$(k get namespace "$namespace" 2>&1) ||
    die 3 "cannot find the namespace $namespace of Argo CD: pass --namespace NAME ($answer)"
  health=$(k get configmap argocd-cm -n "$namespace" --ignore-not-found \
    -o 'jsonpath={.data.resource\.customizations\.health\.argoproj\.io_Application}' 2>/dev/null) || health=''
  [ -n "$health" ] || warn "argocd-cm in $namespace has no resource.customizations.health.argoproj.io_Application: waves will not wait for each other"
}

deploy() {
  repository
  root_application
}
