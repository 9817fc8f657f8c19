"""Named forms of text (Kubernetes, ``library.Format``)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final

from cluster_forge.cel.budget import Budget
from cluster_forge.cel.errors import EvaluationError
from cluster_forge.cel.functions import urls
from cluster_forge.cel.functions.overloads import Overload, Table
from cluster_forge.cel.times import Timestamp
from cluster_forge.cel.values import NONE, Optional, some

_LABEL: Final = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_LONGEST_LABEL: Final = 63
_LONGEST_NAME: Final = 253
_LABEL_VALUE: Final = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_UUID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.ASCII | re.I)

_IsValid = Callable[[Budget, str], bool]


@dataclass(frozen=True, slots=True)
class Format:
    TYPE_NAME: ClassVar[str] = "kubernetes.NamedFormat"
    name: str


def _spelled(pattern: str, longest: int, *, is_prefix: bool = False) -> _IsValid:
    grammar = re.compile(pattern, re.ASCII)

    def is_valid(_budget: Budget, text: str) -> bool:
        whole = f"{text[:-1]}a" if is_prefix and text.endswith("-") else text  # NameIsDNSLabel(…, prefix=true)
        return len(text) <= longest and grammar.fullmatch(whole) is not None

    return is_valid


def _is_qualified(budget: Budget, text: str) -> bool:
    prefix, slash, name = text.rpartition("/")
    is_prefixed = not slash or _FORMATS["dns1123Subdomain"](budget, prefix)
    return is_prefixed and len(name) <= _LONGEST_LABEL and re.fullmatch(_LABEL_VALUE, name, re.ASCII) is not None


def _parses(parse: Callable[[Budget, str], object]) -> _IsValid:
    def is_valid(budget: Budget, text: str) -> bool:
        try:
            parse(budget, text)
        except (EvaluationError, ValueError, binascii.Error):
            return False
        return True

    return is_valid


def _date(_budget: Budget, text: str) -> date:
    if len(text) != len("2000-01-01"):
        raise ValueError(text)
    return date.fromisoformat(text)


def _bytes(budget: Budget, text: str) -> bytes:
    budget.traverse(len(text))
    return base64.b64decode(text, validate=True)


_SUBDOMAIN: Final = rf"{_LABEL}(\.{_LABEL})*"
_FORMATS: Final[Mapping[str, _IsValid]] = {
    "dns1123Label": _spelled(_LABEL, _LONGEST_LABEL),
    "dns1123Subdomain": _spelled(_SUBDOMAIN, _LONGEST_NAME),
    "dns1035Label": _spelled(r"[a-z]([-a-z0-9]*[a-z0-9])?", _LONGEST_LABEL),
    "dns1123LabelPrefix": _spelled(_LABEL, _LONGEST_LABEL, is_prefix=True),
    "dns1123SubdomainPrefix": _spelled(_SUBDOMAIN, _LONGEST_NAME, is_prefix=True),
    "dns1035LabelPrefix": _spelled(r"[a-z]([-a-z0-9]*[a-z0-9])?", _LONGEST_LABEL, is_prefix=True),
    "labelValue": _spelled(rf"({_LABEL_VALUE})?", _LONGEST_LABEL),
    "qualifiedName": _is_qualified,
    "uri": _parses(urls.parsed),
    "uuid": lambda _, text: _UUID.fullmatch(text) is not None,
    "byte": _parses(_bytes),
    "date": _parses(_date),
    "datetime": _parses(lambda _, text: Timestamp.parse(text)),
}


def _validated(budget: Budget, form: Format, text: str) -> Optional:
    budget.traverse(len(text))
    return NONE if _FORMATS[form.name](budget, text) else some([f"not a valid {form.name}"])


def _named(_budget: Budget, name: str) -> Optional:
    return some(Format(name)) if name in _FORMATS else NONE


def _constant(name: str) -> list[Overload]:
    return [Overload((), lambda _: Format(name))]


GLOBALS: Final[Table] = {
    "format.named": [Overload((str,), _named)],
    **{f"format.{name}": _constant(name) for name in _FORMATS},
}
MEMBERS: Final[Table] = {"validate": [Overload((Format, str), _validated)]}
