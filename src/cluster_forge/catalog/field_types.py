"""The types of fields in a catalog's files that are more than text: version ranges, levels, finding codes, object names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StrictStr

from cluster_forge.stack.schema.key_types import Text

_RANGE: Final = re.compile(r"1\.(\d+)(?:(\+)|-1\.(\d+))?")


def minors(text: str) -> range:
    """The minor versions of Kubernetes 1 that ``1.27-1.33``, ``1.25+`` or ``1.30`` stands for, both ends included.

    Raises:
        ValueError: for anything else.
    """
    match = _RANGE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a range of Kubernetes versions: write 1.25+, 1.27-1.33 or 1.30")
    first, is_open, last = match.groups()
    return range(int(first), 1000 if is_open else int(last or first) + 1)


def _range(text: str) -> str:
    minors(text)
    return text


Range = Annotated[StrictStr, AfterValidator(_range), Field(json_schema_extra={"pattern": f"^{_RANGE.pattern}$"})]
Level = Literal["restricted", "baseline", "privileged"]


def _object_name(text: str) -> str:
    if not re.fullmatch(r"(?:\{name\}|[a-z0-9.-])+", text):
        raise ValueError(
            f"{text!r} is not the name of an object: write lower-case letters, digits, '-', '.' or {{name}}"
        )
    return text


ObjectName = Annotated[
    StrictStr,
    AfterValidator(_object_name),
    Field(json_schema_extra={"pattern": r"^(\{name\}|[a-z0-9.-])+$"}),
]
"""The name of an object that is created for another one, whose name ``{name}`` stands for."""


_FIELD: Final = r"([A-Za-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)*)?"


def _status_field(text: str) -> str:
    if not re.fullmatch(_FIELD, text):
        raise ValueError(
            f"{text!r} is not a field below `status`: write names with dots between them, as conditionStatus.ready"
        )
    return text


StatusField = Annotated[StrictStr, AfterValidator(_status_field), Field(json_schema_extra={"pattern": f"^{_FIELD}$"})]
"""A path below ``status``: ``conditionStatus.ready``; empty for none."""


_FORMER_RULES: Final[Mapping[str, str]] = {
    "image-tag": "unpinned-image",
    "literal-secret": "plaintext-secret",
    "random": "random-render",
    **dict.fromkeys(
        (
            *("address", "secret", "storage-class", "issuer", "secret-store", "parent", "backend"),
            *("webhook", "api-service", "service-monitor", "pod-monitor"),
        ),
        "missing-reference",
    ),
}
"""Names that `exceptions` had for rules before these became finding codes."""


def _finding_code(text: str) -> str:
    return _FORMER_RULES.get(text, text)


FindingCode = Annotated[Text, AfterValidator(_finding_code)]
"""A finding code; the former name of a rule becomes its code."""
