"""Where an object is: the server, the path there, and the region that its signature names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from cluster_forge.plugin_api import ProblemError


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An object of a bucket. ``path`` is encoded as S3 signs it: everything but letters, digits, ``-._~`` and slashes."""

    scheme: str
    host: str
    path: str
    bucket: str
    region: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.path}"

    @classmethod
    def of(cls, address: str, environment: Mapping[str, str]) -> Place:
        """The object at ``s3://BUCKET/KEY``: of Amazon, or of the store that ``AWS_ENDPOINT_URL_S3`` names.

        Raises:
            ProblemError: if it is not such an address, or the endpoint is not one.
        """
        parts = urlsplit(address)
        key = quote(unquote(parts.path), safe="/-._~")
        if not parts.netloc or "@" in parts.netloc or key in ("", "/") or parts.query:
            raise ProblemError("the address is not of the form s3://BUCKET/KEY", fix="write s3://my-bucket/charts")
        region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or "us-east-1"
        endpoint = environment.get("AWS_ENDPOINT_URL_S3") or environment.get("AWS_ENDPOINT_URL")
        if not endpoint:
            host = f"{parts.netloc}.s3.{region}.amazonaws.com"
            return cls(scheme="https", host=host, path=key, bucket=parts.netloc, region=region)
        server = urlsplit(endpoint)
        if server.scheme not in ("http", "https") or not server.netloc or "@" in server.netloc:
            raise ProblemError(
                "AWS_ENDPOINT_URL_S3 is not the address of a server", fix="set it to https://store.example.com:9000"
            )
        path = f"{server.path.rstrip('/')}/{parts.netloc}{key}"
        return cls(scheme=server.scheme, host=server.netloc, path=path, bucket=parts.netloc, region=region)
