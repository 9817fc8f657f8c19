"""No secret is written into an object: not into a Secret, a ConfigMap, or the environment and the arguments of a container.

The value is never part of what is said about it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from cluster_forge.checks import report
from cluster_forge.checks.checked_stack import CheckedStack
from cluster_forge.checks.security import grants, secret_commands, secret_names, secret_text, secret_values
from cluster_forge.checks.security.pod_template import ContainerPlace, PodTemplate, Steps
from cluster_forge.checks.security.secret_names import Meaning
from cluster_forge.foundation.untyped import mapping, sequence
from cluster_forge.manifests import field_path
from cluster_forge.manifests.finding import Finding
from cluster_forge.manifests.manifest import Manifest

CODE: Final = "plaintext-secret"
_FIX: Final = "name a Secret that exists in the cluster, and list it under `secrets`; `cluster-forge secrets list` shows how to make it"
_SHORTEST: Final = 4
_MOST_NAMED: Final = 6
_HEADER: Final = ("apiVersion", "kind", "metadata", "status")
_ENCRYPTED: Final = "encryptedData"
"""What a SealedSecret holds."""
_NAME_OF_KEY: Final = "secretKey"
"""A field of an ExternalSecret that names a key."""
_NOT_READ: Final = "apiextensions.k8s.io"
"""The API group of CRDs: large, and of words about fields."""

Secret = tuple[str, Steps]
"""What kind of secret it is, and where it is in the object."""


def findings(checked: CheckedStack, /) -> Iterator[Finding]:
    yield from checked.each(_of_object)


def _of_object(manifest: Manifest, _minor: int) -> Iterator[Finding]:
    return of(manifest)


def of(manifest: Manifest) -> Iterator[Finding]:
    """The secrets in an object: one finding for all of its annotations, one for each container, one for its other fields."""
    if manifest.id.group == _NOT_READ:
        return
    yield from _reported(manifest, list(_in_annotations(manifest)), "its annotations hold")
    kind, pod = (manifest.id.group, manifest.id.kind), next(iter(PodTemplate.of(manifest)), None)
    if kind == ("", "Secret"):
        yield from _reported(manifest, list(_in_secret(manifest)), "the Secret holds")
    elif kind == ("", "ConfigMap"):
        yield from _reported(manifest, list(_in_config_map(manifest)), "the ConfigMap holds")
    elif pod is not None and not pod.is_custom:
        for container in pod.containers:
            secrets = list(_in_container(container))
            yield from _reported(manifest, secrets, f"container {container.name} is given")
        volumes = list(_in_fields(pod.spec.get("volumes"), (*pod.steps, "volumes")))
        yield from _reported(manifest, volumes, "its volumes hold")
    elif manifest.id.group != grants.GROUP:
        fields = ((key, value) for key, value in manifest.body.items() if key not in _HEADER)
        secrets = [secret for key, value in fields for secret in _in_fields(value, (key,), key)]
        yield from _reported(manifest, secrets, "the object holds")


def _reported(manifest: Manifest, secrets: list[Secret], begin: str) -> Iterator[Finding]:
    if not secrets:
        return
    shown = [f"{kind} in {field_path.text(steps)}" for kind, steps in secrets[:_MOST_NAMED]]
    more = len(secrets) - _MOST_NAMED
    listed = "; ".join((*shown, *((f"and {more} more",) if more > 0 else ())))
    field = field_path.text(secrets[0][1])
    yield report.warning(manifest, CODE, f"{begin} in plain text: {listed}", fix=_FIX, field=field)


def _in_secret(manifest: Manifest) -> Iterator[Secret]:
    for part in ("data", "stringData"):
        for key, value in mapping(manifest.body.get(part)).items():
            text = _decoded(value) if part == "data" else value
            kind = _in_secret_value(str(key), text) if isinstance(text, str) else "binary data" if text else ""
            if kind:
                yield kind, (part, str(key))


def _decoded(value: object) -> str | bytes:
    """The value of ``data``; what the API server would refuse as base64 is not looked at."""
    if not isinstance(value, str):
        return ""
    try:
        content = base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return ""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _in_secret_value(key: str, text: str) -> str:
    """What a value of a Secret is: every single word counts as a secret, except for names, addresses, numbers and settings."""
    if within := next(secret_text.secrets_in(text), ""):
        return within
    word, meaning = text.strip(), secret_names.meaning(key)
    if secret_values.stands_for_value(word) or meaning is Meaning.PUBLIC:
        return ""
    if (meaning in (Meaning.PASSWORD, Meaning.KEY) and not secret_values.is_place_or_number(word)) or word.isdigit():
        return secret_values.of_name(Meaning.PASSWORD, word)
    is_setting = any(mark in word for mark in "\n\t {}=") or secret_values.is_place_or_number(word)
    if is_setting or word.startswith("-----BEGIN CERTIFICATE") or len(word) < _SHORTEST:
        return ""
    return "a value"


def _in_annotations(manifest: Manifest) -> Iterator[Secret]:
    """The secrets in the annotations of an object and of its Pods."""
    places: list[tuple[Steps, object]] = [(("metadata",), manifest.body.get("metadata"))]
    pods = (pod for pod in PodTemplate.of(manifest) if pod.steps != ("spec",))
    places += [((*pod.steps[:-1], "metadata"), pod.metadata) for pod in pods]
    for steps, metadata in places:
        for key, value in mapping(mapping(metadata).get("annotations")).items():
            if isinstance(value, str) and "examples" not in key and (kind := _in_value(str(key), value)):
                yield kind, (*steps, "annotations", str(key))


def _in_config_map(manifest: Manifest) -> Iterator[Secret]:
    for part in ("data", "binaryData"):
        for key, value in mapping(manifest.body.get(part)).items():
            text = _decoded(value) if part == "binaryData" else value
            if isinstance(text, str) and (kind := _in_value(str(key), text)):
                yield kind, (part, str(key))


def _in_fields(value: object, steps: Steps, name: str = "") -> Iterator[Secret]:
    """The secrets in an object; ``name`` is that of the field, or of the variable or parameter that it is the value of."""
    if isinstance(value, str):
        if kind := _in_value(name if name != _NAME_OF_KEY else "", value):
            yield kind, steps
    elif isinstance(value, Mapping):
        known = value.get("name")
        for key, member in value.items():
            label = known if key == "value" and isinstance(known, str) else str(key)
            if key != _ENCRYPTED:
                yield from _in_fields(member, (*steps, str(key)), label)
    elif isinstance(value, list):
        yield from _in_words(value, steps, name)
        for place, item in enumerate(value):
            if not isinstance(item, str):
                yield from _in_fields(item, (*steps, place), name)


def _in_value(name: str, value: str) -> str:
    """What a value with a name is: as a whole, if it is one word; otherwise what is within it."""
    word = value.strip()
    return (_named(name, word) if "\n" not in word else "") or next(secret_text.secrets_in(value), "")


def _named(name: str, word: str) -> str:
    return secret_values.of_name(secret_names.meaning(name), word)


def _in_container(container: ContainerPlace) -> Iterator[Secret]:
    for variable in map(mapping, sequence(container.body.get("env"))):
        name, value = variable.get("name"), variable.get("value")
        if isinstance(name, str) and isinstance(value, str) and (kind := _in_value(name, value)):
            yield kind, (*container.steps, "env", (("name", f'"{name}"'),), "value")
    lists = [(part, sequence(container.body.get(part))) for part in ("command", "args")]
    secrets = [secret for part, words in lists for secret in _in_words(words, (*container.steps, part))]
    yield from secrets or _in_command([word for _, words in lists for word in words], (*container.steps, "args"))
    for part in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
        yield from _in_fields(container.body.get(part), (*container.steps, part))


def _in_words(words: Sequence[object], steps: Steps, name: str = "") -> Iterator[Secret]:
    """The secrets in a list of texts: those in a text alone, and those in what it is as a command."""
    secrets = []
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        if isinstance(word, str):
            option = before if isinstance(before, str) and before.startswith("-") and "=" not in before else ""
            if kind := _in_value("" if word.startswith("-") else option or name, word):
                secrets.append((kind, (*steps, place)))
    yield from secrets or _in_command(words, steps)


def _in_command(words: Sequence[object], steps: Steps) -> Iterator[Secret]:
    command = " ".join(word for word in words if isinstance(word, str) and not any(map(str.isspace, word)))
    if kind := next(secret_commands.passwords_in(command), ""):
        yield kind, steps
