"""Types of the description's keys, and the base class of its models.

Importing this module loads pydantic, which takes 0.2 s.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictStr,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

from cluster_forge.foundation import git_addresses, quantity
from cluster_forge.foundation.addresses import without_credentials
from cluster_forge.foundation.names import is_dns_label, is_dns_name, is_dns_subdomain
from cluster_forge.stack import source_schemes
from cluster_forge.stack.model import KubernetesVersion
from cluster_forge.stack.variables import expressions, references

_LABEL_PATTERN = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
_SUBDOMAIN_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_HOST_PATTERN = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?|\[[0-9a-f:.]+\])(:[0-9]{1,5})?$"
_NAMING_PATH = re.compile(r"[^\s.\[\]{}]+(\[\])*(\.([^\s.\[\]{}]+|\{\})(\[\])*)*")
_KIND_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?")
_SCHEMES = ("https://", "http://", "file://", "oci://", "git+https://")


class UnfitError(ValueError):
    """Why a text does not fit its key, and the line to write instead."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


def _label(text: str) -> str:
    if not is_dns_label(text):
        raise ValueError(
            f"{text!r} is not a DNS label: lower-case letters, digits and hyphens, at most 63, no hyphen at the ends"
        )
    return text


def _naming_path(text: str) -> str:
    if not _NAMING_PATH.fullmatch(text):
        raise UnfitError(f"{text!r} is not the path of a field", "write names with dots between: `spec.stores[].login`")
    return text


def _kind_name(text: str) -> str:
    if not _KIND_NAME.fullmatch(text):
        raise UnfitError(f"{text!r} is not a kind", "write it with its group: `Secret`, `Issuer.cert-manager.io`")
    return text


def _variable(text: str) -> str:
    if text in ("true", "false"):
        raise UnfitError(
            f"{text!r} cannot be the name of a variable; YAML reads y, n, yes, no, on and off as it, too",
            "choose another name, or put it in quotes",
        )
    if text in expressions.RESERVED:
        raise ValueError(f"{text!r} cannot be the name of a variable: expressions have another use for it")
    if not references.is_name(text):
        near = re.sub(r"[^A-Za-z0-9_]", "_", text)
        better = near if references.is_name(near) else f"_{near}"
        raise UnfitError(
            f"{text!r} cannot be the name of a variable: letters, digits and underscores, no digit at the beginning",
            f"write `{better}`, also in `${{{better}}}`",
        )
    return text


def _label_or_nothing(text: str) -> str:
    return text and _label(text)


def _subdomain(text: str) -> str:
    if not is_dns_subdomain(text):
        raise ValueError(
            f"{text!r} cannot be the name of an object: lower-case letters, digits, hyphens and dots, at most 253, "
            "a letter or digit at both ends"
        )
    return text


def _kubernetes(text: str) -> str:
    try:
        KubernetesVersion.parse(text)
    except ValueError as error:
        raise UnfitError(
            str(error), 'write `kubernetes: "1.33"`, or what `kubectl version` prints: `v1.33.4+k3s1`'
        ) from error
    return text


def _domain(text: str) -> str:
    if not text or is_dns_name(text):
        return text
    bare = text.partition("://")[2] or text
    bare = bare.rpartition("@")[2].strip().lower().removeprefix("*.").partition("/")[0].partition(":")[0].strip(".")
    example = bare if is_dns_name(bare) else "example.com"
    raise UnfitError(
        f"{without_credentials(text)!r} is not a DNS name",
        f"write `domain: {example}`: user interfaces get names below it",
    )


def _host(text: str) -> str:
    if not re.fullmatch(_HOST_PATTERN, text):
        bare = text.partition("://")[2] or text
        bare = bare.rpartition("@")[2].partition("/")[0].lower()
        fix = f'write "{bare}"' if re.fullmatch(_HOST_PATTERN, bare) else 'write it as "registry.example.com:5000"'
        raise UnfitError(f"{without_credentials(text)!r} is not a host, with or without a port, in lower case", fix)
    host, mark, port = text.rpartition(":")
    if mark and port.isdigit() and not 0 < int(port) < 65536:
        raise UnfitError(f"{text!r}: {port} is not a port", f'write "{host}", or "{host}:5000"')
    return text


def _repository(text: str) -> str:
    if git_addresses.is_git(text):
        try:
            git_addresses.GitAddress.parse(text)
        except ValueError as error:
            raise ValueError(f"{without_credentials(text)!r}: {error}") from error
        return text
    if not text.startswith(_SCHEMES) and not source_schemes.of_plugin(text):
        schemes = ", ".join(_SCHEMES)
        raise ValueError(f"{text!r} is not a URL: it must start with {schemes} (put a folder or .tgz in `chart`)")
    return text.rstrip("/") if text.startswith("oci://") else text


def _quantity(value: Any) -> Any:
    """Kubernetes accepts ``cpu: 16`` and ``cpu: "16"``."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _parsed_quantity(text: str) -> str:
    quantity.parse(text)
    return text


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Label = Annotated[StrictStr, AfterValidator(_label), Field(json_schema_extra={"pattern": _LABEL_PATTERN})]
Namespace = Annotated[
    StrictStr, AfterValidator(_label_or_nothing), Field(json_schema_extra={"pattern": f"{_LABEL_PATTERN}|^$"})
]
ObjectName = Annotated[
    StrictStr, AfterValidator(_subdomain), Field(json_schema_extra={"pattern": _SUBDOMAIN_PATTERN, "maxLength": 253})
]
NamingPath = Annotated[
    StrictStr, AfterValidator(_naming_path), Field(json_schema_extra={"pattern": f"^{_NAMING_PATH.pattern}$"})
]
KindName = Annotated[
    StrictStr, AfterValidator(_kind_name), Field(json_schema_extra={"pattern": f"^{_KIND_NAME.pattern}$"})
]
Text = Annotated[StrictStr, AfterValidator(_filled), Field(json_schema_extra={"minLength": 1})]
Version = Annotated[
    StrictStr,
    AfterValidator(_kubernetes),
    Field(json_schema_extra={"pattern": r"^v?\d+\.\d+(\.\d+([-+][0-9A-Za-z.+-]+)?)?$"}),
]
Address = Annotated[
    StrictStr,
    AfterValidator(_repository),
    Field(json_schema_extra={"pattern": r"^(git\+)?[a-z][a-z0-9.-]*://"}),
]
Host = Annotated[StrictStr, AfterValidator(_host), Field(json_schema_extra={"pattern": _HOST_PATTERN})]
Domain = Annotated[
    StrictStr,
    AfterValidator(_domain),
    Field(json_schema_extra={"pattern": r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$"}),
]
Quantity = Annotated[
    StrictStr,
    BeforeValidator(_quantity),
    AfterValidator(_parsed_quantity),
    WithJsonSchema({"type": ["string", "number"]}),
]
Variable = Annotated[
    StrictStr, AfterValidator(_variable), Field(json_schema_extra={"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"})
]
HelmValues = dict[StrictStr, Any]


class Schema(BaseModel):
    """Keys are written in camelCase; an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
    )
