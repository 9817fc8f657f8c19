# The Flux in the cluster applies the components.
# shellcheck shell=sh disable=SC2154 # set by the head of deploy.sh

check_permissions() {
  kind=${source%/*}
  for what in kustomizations.kustomize.toolkit.fluxcd.io "$kind" configmaps namespaces; do
    ask auth can-i create "$what" --all-namespaces ||
      die 3 "missing permission: create $what (kubectl auth can-i create $what --all-namespaces: $answer)"
  done
  for crd in kustomizations.kustomize.toolkit.fluxcd.io "$sources"; do
    ask get crd "$crd" -o 'jsonpath={.spec.versions[?(@.served==true)].name}' ||
      die 3 "Flux is not installed in this cluster: install it, or set gitops.install: true and cast again ($answer)"
    case " $answer " in
      *' v1 '*) ;;
      *) die 3 "the Flux in this cluster is too old: $crd serves $answer, and not v1 (Flux 2.6 and later)" ;;
    esac
  done
}

deploy() { root_kustomization; }
