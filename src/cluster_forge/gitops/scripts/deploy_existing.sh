# The Argo CD in the cluster applies the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

check_permissions() {
  for what in applications.argoproj.io appprojects.argoproj.io deployments.apps configmaps namespaces; do
    ask auth can-i create "$what" --all-namespaces ||
      die 3 "missing permission: create $what (kubectl auth can-i create $what --all-namespaces: $answer)"
  done
  ask get crd applications.argoproj.io ||
    die 3 "Argo CD is not installed in this cluster: install it, or set gitops.install: true and cast again ($answer)"
  ask get namespace "$namespace" ||
    die 3 "cannot find the namespace $namespace of Argo CD: pass --namespace NAME ($answer)"
  ask get configmap argocd-cm -n "$namespace" --ignore-not-found \
    -o 'jsonpath={.data.resource\.customizations\.health\.argoproj\.io_Application}' || answer=''
  [ -n "$answer" ] ||
    warn "argocd-cm in $namespace has no resource.customizations.health.argoproj.io_Application: waves will not wait for each other"
}

deploy() {
  repository
  root_application
}
