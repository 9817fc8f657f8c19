"""From a parsed document to the objects in it, checked and with their namespaces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cluster_forge.foundation.errors import ManifestError
from cluster_forge.manifests import facts, other_documents, server_fields
from cluster_forge.manifests.identity import ObjectId
from cluster_forge.manifests.manifest import Body, Document, Manifest, Provenance
from cluster_forge.manifests.scope import Scopes

_FIX = (
    "only Kubernetes objects can be deployed; name a Helm values file in `valuesFiles` of a component with `helm`, "
    "any other file in `configMaps`"
)
_RBAC = "rbac.authorization.k8s.io"


def objects(value: Any, provenance: Provenance, repeated_keys: tuple[str, ...] = ()) -> Iterator[Manifest]:
    """The objects in one document's ``value``; a ``List`` (or ``…List`` with items) gives its items.

    They have no `server_fields`. ``repeated_keys`` of the document become a fact of its first object.

    Raises:
        ManifestError: if it is not a Kubernetes object: not a mapping, or without ``apiVersion``, ``kind`` or a name.
    """
    if value is None or value == {}:
        return
    other = other_documents.known(value, provenance.origin)
    if other:
        raise _error(provenance, f"not a Kubernetes object: it is {other.what}", other.fix)
    if not isinstance(value, dict):
        raise _error(provenance, f"the document is {_type_name(value)}, not a mapping")
    kind, api_version = value.get("kind"), value.get("apiVersion")
    items = value.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list) and isinstance(api_version, str):
        for index, item in enumerate(items):
            typed = _typed(item, kind.removesuffix("List"), api_version)
            yield from objects(typed, provenance, () if index else repeated_keys)
        return
    if not isinstance(api_version, str) or not isinstance(kind, str) or not api_version or not kind:
        missing = " and ".join(key for key in ("apiVersion", "kind") if not isinstance(value.get(key), str))
        raise _error(provenance, f"not a Kubernetes object: it has no {missing or 'apiVersion or kind'}")
    cleaned = server_fields.without(_named(value, provenance))
    known = facts.of(cleaned.body)
    if cleaned.dropped or repeated_keys:
        known = replace(known, dropped_fields=cleaned.dropped, repeated_keys=repeated_keys)
    document = Document(body=cleaned.body, facts=known)
    yield Manifest(id=ObjectId.of(cleaned.body), document=document, provenance=provenance)


def placed(manifest: Manifest, namespace: str, scopes: Scopes) -> Manifest:
    """``manifest`` with ``namespace`` filled in where it is missing and needed; one that means something is never changed.

    ServiceAccounts among the subjects of a ClusterRoleBinding follow the same rule: the API server refuses one without.
    Those of a RoleBinding do not: without a namespace they are accounts in the binding's own (Kubernetes,
    ``pkg/apis/rbac/validation`` and ``plugin/pkg/auth/authorizer/rbac``). A cluster-scoped object has no namespace, even
    where a chart wrote one: the API server drops it (``rest.BeforeCreate``), and what compares it with the cluster would
    not know it again. An empty ``namespace`` fills in nothing.
    """
    identity = manifest.id
    document = manifest.document
    namespaced = scopes.is_namespaced(identity.group, identity.kind)
    if namespaced is False and identity.namespace:
        metadata = {key: value for key, value in document.header["metadata"].items() if key != "namespace"}
        document = document.with_metadata(metadata)
        identity = replace(identity, namespace="")
    if namespace and namespaced and not identity.namespace:
        document = document.with_metadata({**document.header["metadata"], "namespace": namespace})
        identity = replace(identity, namespace=namespace)
    if namespace and accounts_without_namespace(manifest):
        document = Document(body=_with_subjects(manifest.body, namespace), facts=manifest.facts)
    if document is manifest.document and identity == manifest.id:
        return manifest
    return replace(manifest, id=identity, document=document)


def accounts_without_namespace(manifest: Manifest) -> tuple[str, ...]:
    """The ServiceAccounts among the subjects of a ClusterRoleBinding that have no namespace: which one is meant is open."""
    if (manifest.id.group, manifest.id.kind) != (_RBAC, "ClusterRoleBinding"):
        return ()
    subjects = manifest.body.get("subjects")
    return tuple(
        str(subject.get("name", ""))
        for subject in (subjects if isinstance(subjects, list) else ())
        if _is_open(subject)
    )


def _is_open(subject: Any) -> bool:
    """Whether a subject is a ServiceAccount without a namespace."""
    return isinstance(subject, dict) and subject.get("kind") == "ServiceAccount" and not subject.get("namespace")


def _with_subjects(body: Body, namespace: str) -> Body:
    filled = [{**subject, "namespace": namespace} if _is_open(subject) else subject for subject in body["subjects"]]
    return {**body, "subjects": filled}


def _typed(item: Any, kind: str, api_version: str) -> Any:
    """An item of a typed list may omit the list's kind and version (``RoleList`` of ``rbac.authorization.k8s.io/v1``)."""
    if not isinstance(item, dict) or not kind:
        return item
    return {"apiVersion": api_version, "kind": kind, **item}


def _named(value: dict[str, Any], provenance: Provenance) -> Mapping[str, Any]:
    metadata: Any = value.get("metadata")
    shown = f"{value['kind']} ({value['apiVersion']})"
    for key in ("name", "generateName", "namespace") if isinstance(metadata, dict) else ():
        text = metadata.get(key)
        if text is not None and not isinstance(text, str):
            trap = " (YAML reads y, n, yes, no, on and off so)" if isinstance(text, bool) else ""
            message = f"metadata.{key} of {shown} is {_type_name(text)}, not text: quote it{trap}"
            raise _error(provenance, message, f"write `{key}: 'TEXT'`, with quotes")
    if not isinstance(metadata, dict) or not (metadata.get("name") or metadata.get("generateName")):
        raise _error(provenance, f"{shown} has no metadata.name")
    return value


def _error(provenance: Provenance, message: str, fix: str = _FIX) -> ManifestError:
    return ManifestError(
        f"component {provenance.component}: {message}",
        where=provenance.origin,
        fix=f"{fix}; to leave the component out: --skip {provenance.component}",
    )


def _type_name(value: Any) -> str:
    names = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "nothing")
