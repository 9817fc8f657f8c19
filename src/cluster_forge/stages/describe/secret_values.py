"""Whether a description holds a secret: a login in an address, a query that signs, a known service's token, a `password`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from cluster_forge.checks.security import secret_tokens
from cluster_forge.foundation.addresses import masked
from cluster_forge.stack import source_addresses
from cluster_forge.stack.changes import Changes
from cluster_forge.stack.model import Stack

_KEY: Final = re.compile(
    r"(pass|passwd|password|passphrase|passcode|pwd|pw|pin|token|secret|apikey|accesskey|accesskeyid|secretkey|privatekey"
    r"|clientsecret|signingkey|encryptionkey|masterkey|licensekey|credentials?|auth|authorization|cookie|dsn|connectionstring"
    r"|htpasswd|kubeconfig|dockerconfigjson|webhookurl|seed|salt|otp)\d*\Z"
)
"""The end of a key that holds a secret, in lower case without hyphens and underscores."""
_NAMES: Final = re.compile(
    r"(existing|imagepull|external|tls|name|use|has)\w*secret\Z|(token|secret)(key|name|ref|file|path)\Z"
)
"""Keys that name a Secret or a key in it."""
_TEXT: Final = re.compile(
    r"""-----BEGIN[A-Z ]* PRIVATE\ KEY
    |(pass(word|wd|phrase)?|secret|token|(api|access|private)[-_]?key)["']?[ \t]*[:=][ \t]*["']?[^\s"'${<%/]
    |\b(Bearer|Basic)\s+[\w.~+/-]{8,}""",
    re.IGNORECASE | re.VERBOSE,
)
"""A secret within a text: a line of a configuration file, an argument, a header."""


_REFERENCE: Final = re.compile(r"\$+(?:\([^()\s]*\)|\{[^{}\s]*\}|\w+)|\b(?:sys\.)?env\([^()]*\)")
"""What stands for a value from the environment."""


def are_in(stack: Stack) -> bool:
    """Whether a stack holds a secret. A false alarm is harmless; a miss is possible: no program knows every password."""
    if any(masked(address) != address for address in _addresses(stack)):
        return True
    changes = (stack.changes, *(component.changes for component in stack.components))
    if any(is_secret(use.settings) for use in (*stack.transforming, *stack.checks)):
        return True
    return any(is_secret(value) for one in changes for value in _of_changes(one)) or any(
        is_secret(values)
        for component in stack.components
        for values in (
            component.values,
            list(component.objects),
            component.upstream.values if component.upstream else {},
            component.names.variables if component.names else {},
        )
    )


def _of_changes(changes: Changes) -> Iterator[Any]:
    yield changes.annotations
    for patch in changes.patches:
        yield patch.body
        for operation in patch.operations:
            key = str(operation["path"]).rpartition("/")[2]
            yield {key: operation.get("value")}


def _addresses(stack: Stack) -> Iterator[str]:
    yield from (stack.gitops.url, stack.image.repository)
    for component in stack.components:
        yield from source_addresses.of(component)


def is_secret(value: Any, key: str = "") -> bool:
    """Whether a value under a key is a secret, or holds one."""
    if isinstance(value, Mapping):
        return _is_secret_mapping(value)
    if isinstance(value, list | tuple):
        return any(is_secret(item, key) for item in value)
    if isinstance(value, bool) or value is None:
        return False
    text = _REFERENCE.sub("", str(value)).replace("//:@", "//").replace("//@", "//")
    return bool(text) and (
        _is_secret_key(key) or masked(text) != text or bool(_TEXT.search(text)) or any(secret_tokens.tokens_in(text))
    )


def _is_secret_mapping(value: Mapping[str, Any]) -> bool:
    if value.get("kind") == "Secret" and (value.get("data") or value.get("stringData")):
        return True
    name, named = value.get("name"), value.get("value")
    if isinstance(name, str) and isinstance(named, str) and is_secret(named, name):
        return True  # an environment variable
    return any(is_secret(member, str(name)) for name, member in value.items())


def _is_secret_key(key: str) -> bool:
    plain = re.sub(r"[^a-z0-9]", "", key.lower())
    return bool(_KEY.search(plain)) and not plain.startswith("existing") and not _NAMES.search(plain)
