"""Values of an object without the secrets in them, for expressions whose result is shown.

An expression may show any part of a value, or what it makes of it, so a secret is taken out before it is evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cluster_forge.checks.security import secret_names, secret_text
from cluster_forge.checks.security.secret_names import Meaning
from cluster_forge.foundation.untyped import mapping
from cluster_forge.manifests.comparison.masking import MASK

_SECRET: Final = (Meaning.PASSWORD, Meaning.KEY)


def hidden(value: Any, name: str = "") -> Any:
    """A value with ``***`` for each text and number that its name, or that of a field above it, says is secret, and for each
    text that holds one. ``name`` is that of the value; a variable is known by the ``name`` beside its ``value``.
    """
    if isinstance(value, Mapping):
        known = value.get("name")
        return {key: hidden(member, _name(str(key), name, known)) for key, member in value.items()}
    if isinstance(value, list):
        return [hidden(item, name) for item in value]
    if isinstance(value, str):
        is_secret = secret_names.meaning(name) in _SECRET or any(secret_text.secrets_in(value))
        return MASK if is_secret and value else value
    if isinstance(value, bytes):
        return MASK.encode() if secret_names.meaning(name) in _SECRET else value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return MASK if is_number and secret_names.meaning(name) is Meaning.PASSWORD else value


def name_at(steps: Iterable[object]) -> str:
    """The name that says what the value at the end of steps is: that of a field above it, if that one is secret."""
    name = ""
    for step in steps:
        name = _name(step, name, None) if isinstance(step, str) else name
    return name


def hidden_object(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object with ``***`` for its secrets; of a Secret, for all of its values."""
    if (body.get("apiVersion"), body.get("kind")) != ("v1", "Secret"):
        return {key: hidden(value, key) for key, value in body.items()}
    parts = {part: dict.fromkeys(mapping(body.get(part)), MASK) for part in ("data", "stringData") if part in body}
    return {**body, **parts}


def _name(key: str, above: str, known: object) -> str:
    """The name that says what a member of a mapping is: that of a variable, its own, or that of the mapping."""
    if key == "value" and isinstance(known, str):
        return known
    own = secret_names.meaning(key)
    return above if own is Meaning.UNKNOWN and secret_names.meaning(above) in _SECRET else key
