"""The engine can log in where it reads the stack: the Secret that `gitops.secret` names is there, as Argo CD knows it; and Flux
has the key of what SOPS has encrypted.

Sources: Argo CD, "Declarative Setup", "Repositories"; Flux, "Git Repositories" and "OCI Repositories", "Secret reference", and
"Manage Kubernetes secrets with SOPS".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops.flux import kustomizations
from cluster_forge.gitops.plan import ArgoCdPlan, FluxPlan
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of

LOOKS_AT: Final = "the engine's login to the repository"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "engine-login": "The Secret with the engine's login to the repository is missing, or Argo CD does not know it.",
    "sops-key": "The Secret with the key by which Flux decrypts objects of the stack is missing.",
}
LOGIN: Final = "engine-login"
SOPS_KEY: Final = "sops-key"
_FILES_OF_KEYS: Final[Mapping[str, str]] = {"sops-age": "age.agekey", "sops-gpg": "sops.asc"}
"""What Flux looks for in the Secrets that `kustomizations.decryption` names."""
_LOGIN_LABEL: Final = "argocd.argoproj.io/secret-type"
_OVER_SSH: Final = (
    " (URL: `gitops.url` with its user; KEY: the file with the private key; the server's host key belongs into "
    "argocd-ssh-known-hosts-cm)"
)


def problems(situation: Situation) -> Iterator[Problem]:
    if situation.plan.argocd and situation.plan.argocd.secret:
        yield from _of_secret(situation, situation.plan.argocd)
    if situation.plan.flux:
        yield from _of_flux(situation, situation.plan.flux)


def _of_secret(situation: Situation, argocd: ArgoCdPlan) -> Iterator[Problem]:
    """The Secret with the login to the repository is there, as Argo CD knows it (Argo CD, "Declarative Setup", "Repositories").

    Its values are not looked at, nor whether they are right.
    """
    namespace, name = argocd.namespace, argocd.secret
    secrets = situation.cluster.list(_named("Secret", namespace, name)).items
    labeled = f"kubectl label --overwrite secret {name} -n {namespace} {_LOGIN_LABEL}=repository"
    created = f"kubectl create secret generic {name} -n {namespace} {_login(argocd.url)} && "
    if not secrets or labels_of(secrets[0]).get(_LOGIN_LABEL) not in ("repository", "repo-creds"):
        lack = f"lacks the label {_LOGIN_LABEL}=repository" if secrets else "is missing"
        yield Problem(
            code=LOGIN,
            message=f"the Secret with Argo CD's login to {argocd.url} (`gitops.secret`) {lack}: Argo CD cannot read the stack",
            where=f"Secret/{namespace}/{name}",
            fix=labeled if secrets else created + labeled + (_OVER_SSH if _is_ssh(argocd.url) else ""),
            option=f"--allow {LOGIN}",
        )


def _of_flux(situation: Situation, flux: FluxPlan) -> Iterator[Problem]:
    """The values are not looked at: Flux says itself what is wrong with them."""
    spaces = situation.cluster.list(_named("Namespace", "", flux.namespace)).items
    create = f"{'' if spaces else f'kubectl create namespace {flux.namespace} && '}kubectl create secret"
    documents = (situation.tools.reader.read(document.decode()) for document in flux.sync.documents)
    spec = next(body["spec"] for body in documents if ObjectId.of(body) == flux.source)
    name, url = spec.get("secretRef", {}).get("name", ""), spec["url"]
    if name and not _is_there(situation, flux.namespace, name):
        yield Problem(
            code=LOGIN,
            message=f"the Secret with Flux's login to {url} (`gitops.secret`) is missing: Flux cannot read the stack",
            where=f"Secret/{flux.namespace}/{name}",
            fix=f"{create} {_flux_login(name, flux.namespace, url)}",
            option=f"--allow {LOGIN}",
        )
    for name in _names_of_keys(situation):
        if not _is_there(situation, flux.namespace, name):
            file = f"{_FILES_OF_KEYS[name]}=KEY"
            yield Problem(
                code=SOPS_KEY,
                message="the Secret with the key by which Flux decrypts objects of the stack (SOPS) is missing",
                where=f"Secret/{flux.namespace}/{name}",
                fix=f"{create} generic {name} -n {flux.namespace} --from-file={file} (KEY: the file with the private key)",
                option=f"--allow {SOPS_KEY}",
            )


def _names_of_keys(situation: Situation) -> list[str]:
    """The Secrets with the keys of what SOPS has encrypted."""
    decrypted = (kustomizations.decryption(part.objects) or {} for part in situation.parts)
    return sorted({one["secretRef"]["name"] for one in decrypted if "secretRef" in one})


def _is_there(situation: Situation, namespace: str, name: str) -> bool:
    return bool(situation.cluster.list(_named("Secret", namespace, name)).items)


def _named(kind: str, namespace: str, name: str) -> Query:
    return Query(group="", kind=kind, namespace=namespace, fields=f"metadata.name={name}", metadata_only=True)


def _flux_login(name: str, namespace: str, url: str) -> str:
    """What kubectl makes Flux's Secret of."""
    if url.startswith("oci://"):
        host = url.removeprefix("oci://").partition("/")[0]
        kind, values = "docker-registry", f"--docker-server={host} --docker-username=… --docker-password=…"
    elif _is_ssh(url):
        kind, values = "generic", "--from-file=identity=KEY --from-file=known_hosts=HOSTS"
    else:
        kind, values = "generic", "--from-literal=username=… --from-literal=password=…"
    return f"{kind} {name} -n {namespace} {values}"


def _login(url: str) -> str:
    """What kubectl makes the Secret of. An SSH address is shown without its user, and would not do."""
    if _is_ssh(url):
        return "--from-literal=type=git --from-literal=url=URL --from-file=sshPrivateKey=KEY"
    kind = "oci" if url.startswith("oci://") else "git"
    return f"--from-literal=type={kind} --from-literal=url={url} --from-literal=username=… --from-literal=password=…"


def _is_ssh(url: str) -> bool:
    """Whether it is ``ssh://git@host/path`` or ``git@host:path``."""
    return url.startswith("ssh://") or "://" not in url
