"""The signature of a request (AWS Signature Version 4, "Authenticating Requests: Using the Authorization Header")."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cluster_forge_s3_source.place import Place

_EMPTY: Final = hashlib.sha256(b"").hexdigest()
_ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a user; ``token`` is that of temporary ones."""

    identity: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Keys | None:
        """As every program for S3 reads them; None: nothing is signed, which public buckets allow."""
        identity, secret = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
        return cls(identity, secret, environment.get("AWS_SESSION_TOKEN", "")) if identity and secret else None


def signed(place: Place, keys: Keys, now: datetime, query: str = "", **more: str) -> dict[str, str]:
    """The headers of a GET request; ``query`` is in its canonical form, ``more`` are further headers, in lower case."""
    time = now.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": place.host, "x-amz-content-sha256": _EMPTY, "x-amz-date": time, **more}
    if keys.token:
        headers["x-amz-security-token"] = keys.token
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"GET\n{place.path}\n{query}\n{listed}\n{names}\n{_EMPTY}"
    scope = f"{time[:8]}/{place.region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{time}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{keys.secret}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    authorization = f"{_ALGORITHM} Credential={keys.identity}/{scope},SignedHeaders={names},Signature={key.hex()}"
    return {**{name: value for name, value in headers.items() if name != "host"}, "Authorization": authorization}
