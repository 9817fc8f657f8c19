"""What a registry answers when it refuses: codes of the OCI distribution spec, and words of known registries, as sentences."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from cluster_forge.adapters.http.responses import Response
from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.errors import FetchError, ForgeError, RegistryError, TagError
from cluster_forge.oci.reference import ImageReference

_LARGEST: Final = 1 << 16
_LONGEST: Final = 300
_MOST: Final = 3
_IMMUTABLE: Final = re.compile(r"immutab|cannot be overwritten|write.?disabled|operation is disallowed", re.IGNORECASE)
"""Amazon ECR (400 or 409), Google Artifact Registry (400), Harbor (412), Azure (405) about a tag that must stay."""
_QUOTA: Final = re.compile(r"quota|upper limit|storage (?:limit|resource)|insufficient storage", re.IGNORECASE)
"""Harbor answers 403 with ``will exceed the configured upper limit``, others 507."""
_UNKNOWN_TYPE: Final = re.compile(r"media ?type|unsupported manifest|unknown manifest|schema", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that is an error: its status, the codes in its body, and the registry's own words."""

    status: int
    codes: tuple[str, ...]
    words: str

    @classmethod
    def of(cls, response: Response) -> Refusal:
        """Read the body of an error (distribution spec, "Error Codes"); anything but JSON is ignored."""
        errors = _errors(response)
        codes = tuple(code for code in (_text(error, "code") for error in errors) if re.fullmatch("[A-Z_]{1,60}", code))
        messages = dict.fromkeys(masked(_text(error, "message").strip())[:_LONGEST] for error in errors)
        return cls(response.status, codes, "; ".join(filter(None, messages)))

    def has(self, *codes: str) -> bool:
        return any(code in codes for code in self.codes)

    @property
    def is_immutable(self) -> bool:
        return self.status in (400, 403, 405, 409, 412) and bool(_IMMUTABLE.search(self.words))

    @property
    def is_full(self) -> bool:
        return self.status in (402, 507) or (self.status in (400, 403, 412) and bool(_QUOTA.search(self.words)))

    @property
    def is_unknown_type(self) -> bool:
        has_words = self.has("MANIFEST_INVALID", "UNSUPPORTED") and _UNKNOWN_TYPE.search(self.words)
        return self.status == 415 or bool(has_words)


def reading_error(response: Response, reference: ImageReference, what: str) -> FetchError:
    """The error for a refused request to read ``what`` from a repository."""
    refusal = Refusal.of(response)
    if response.status == 404:
        return _missing(reference, what, refusal)
    return _general(response, reference, f"{what} cannot be read", refusal)


def writing_error(response: Response, reference: ImageReference, what: str) -> ForgeError:
    """The error for a refused request to write ``what`` into a repository."""
    refusal = Refusal.of(response)
    address, words = reference.address, _in_its_words(refusal)
    if reference.tag and refusal.is_immutable:
        return TagError(
            f"{address}: the registry does not let the tag be moved{words}",
            fix="push another tag (--tag), or let the repository's tags be changed",
        )
    if refusal.is_full:
        return RegistryError(
            f"{address}: no space is left for {what}{words}",
            fix="delete what is not needed in the registry, or have the limit raised",
        )
    if response.status == 404 or refusal.has("NAME_UNKNOWN"):
        return RegistryError(
            f"{address}: the repository does not exist, and the registry does not create it{words}",
            fix="create it there first (in Harbor the project, in Amazon ECR and Google Artifact Registry the repository)",
        )
    if response.status == 413:
        return RegistryError(
            f"{address}: {what} is larger than the registry, or a proxy before it, accepts{words}",
            fix="raise the limit there (nginx: client_max_body_size)",
        )
    if refusal.is_unknown_type:
        return RegistryError(
            f"{address}: the registry does not accept {what}{words}",
            fix="allow OCI images and artifacts in the repository, or use another registry",
        )
    general = _general(response, reference, f"{what} cannot be written", refusal)
    return RegistryError(general.message, fix=general.fix)


def _missing(reference: ImageReference, what: str, refusal: Refusal) -> FetchError:
    if refusal.has("NAME_UNKNOWN"):
        return FetchError(
            f"{reference.address}: the registry has no repository {reference.repository!r}",
            fix="check the address; some registries also answer so where a login is needed: cluster-forge login "
            + reference.registry,
        )
    return FetchError(f"{reference.address}: the registry does not have {what}", fix="check repository, tag and digest")


def _general(response: Response, reference: ImageReference, problem: str, refusal: Refusal) -> FetchError:
    """The error of the HTTP client, which names the credential, with the registry's words."""
    failure = response.failure()
    return FetchError(f"{reference.address}: {problem}: {failure.message}{_in_its_words(refusal)}", fix=failure.fix)


def _in_its_words(refusal: Refusal) -> str:
    words = refusal.words or ", ".join(dict.fromkeys(refusal.codes[:_MOST]))
    return f" (it says: {words})" if words else ""


def _errors(response: Response) -> Sequence[dict[str, Any]]:
    body = bytearray()
    with contextlib.suppress(FetchError):
        while len(body) < _LARGEST and (part := response.read(_LARGEST)):
            body += part
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    listed = document.get("errors") if isinstance(document, dict) else None
    return [error for error in listed[:_MOST] if isinstance(error, dict)] if isinstance(listed, list) else ()


def _text(document: dict[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""
