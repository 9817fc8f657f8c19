"""Argo CD can log in where it reads the stack: the Secret that `gitops.secret` names is there, as Argo CD knows it.

Source: Argo CD, "Declarative Setup", "Repositories".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cluster_forge.gitops.plan import ArgoCdPlan
from cluster_forge.ports.cluster import Query
from cluster_forge.stages.deliver.preflight.problem import Problem
from cluster_forge.stages.deliver.preflight.situation import Situation, labels_of

LOOKS_AT: Final = "Argo CD's login to the repository"
IS_NEEDED: Final = True
CODES: Final[Mapping[str, str]] = {
    "engine-login": "The Secret with Argo CD's login to the repository is missing, or Argo CD does not know it.",
}
LOGIN: Final = "engine-login"
_LOGIN_LABEL: Final = "argocd.argoproj.io/secret-type"
_OVER_SSH: Final = (
    " (URL: `gitops.url` with its user; KEY: the file with the private key; the server's host key belongs into "
    "argocd-ssh-known-hosts-cm)"
)


def problems(situation: Situation) -> Iterator[Problem]:
    if situation.plan.argocd and situation.plan.argocd.secret:
        yield from _of_secret(situation, situation.plan.argocd)


def _of_secret(situation: Situation, argocd: ArgoCdPlan) -> Iterator[Problem]:
    """The Secret with the login to the repository is there, as Argo CD knows it (Argo CD, "Declarative Setup", "Repositories").

    Its values are not looked at, nor whether they are right.
    """
    namespace, name = argocd.namespace, argocd.secret
    query = Query(group="", kind="Secret", namespace=namespace, fields=f"metadata.name={name}", metadata_only=True)
    secrets = situation.cluster.list(query).items
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


def _login(url: str) -> str:
    """What kubectl makes the Secret of. An SSH address is shown without its user, and would not do."""
    if _is_ssh(url):
        return "--from-literal=type=git --from-literal=url=URL --from-file=sshPrivateKey=KEY"
    kind = "oci" if url.startswith("oci://") else "git"
    return f"--from-literal=type={kind} --from-literal=url={url} --from-literal=username=… --from-literal=password=…"


def _is_ssh(url: str) -> bool:
    """Whether it is ``ssh://git@host/path`` or ``git@host:path``."""
    return url.startswith("ssh://") or "://" not in url
