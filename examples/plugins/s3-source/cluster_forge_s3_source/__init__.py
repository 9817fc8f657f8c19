"""A source for charts and manifests in S3 and other stores with its interface: ``s3://BUCKET/KEY``."""

from __future__ import annotations

import os
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

from cluster_forge.plugin_api import ProblemError
from cluster_forge_s3_source.place import Place
from cluster_forge_s3_source.signature import Keys, signed

_TRIES: Final = 4
_TIMEOUT: Final = 60
"""Seconds without a byte."""
_LATER: Final = (429, 500, 502, 503, 504)
"""Answers of a store that is busy: asked again."""
_SIGN_IN: Final = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to keys that may read it"


class S3:
    """Charts and manifests in S3-style object stores: s3://BUCKET/KEY."""

    api_version = 1

    def get(self, address: str, limit: int) -> bytes:
        place = Place.of(address, os.environ)
        for left in reversed(range(_TRIES)):
            try:
                return _fetched(place, limit)
            except urllib.error.HTTPError as error:
                with error:
                    if not left or error.code not in _LATER:
                        raise _refused(place, error) from error
            except (OSError, HTTPException) as error:
                if not left:
                    reason = getattr(error, "reason", error)
                    raise ProblemError(
                        f"{place.url}: {reason}", fix="check AWS_ENDPOINT_URL_S3, the network and the proxy"
                    ) from error
            time.sleep(2 ** (_TRIES - 1 - left) / 2)
        raise AssertionError("the last try returns or raises")


def _fetched(place: Place, limit: int) -> bytes:
    keys = Keys.of(os.environ)
    now = datetime.now(UTC)
    headers = signed(place, keys, now) if keys else {}
    request = urllib.request.Request(place.url, headers=headers)  # noqa: S310 - https, or what the user set as endpoint
    response: HTTPResponse
    with _OPENER.open(request, timeout=_TIMEOUT) as response:
        content = response.read(limit + 1)
        announced = response.headers.get("Content-Length")
    if len(content) > limit:
        raise ProblemError(f"{place.url} has more than {limit:,} bytes", fix="check the address")
    if announced and announced.isdigit() and int(announced) > len(content):
        raise ConnectionError("the answer ended too early")
    return content


def _refused(place: Place, error: urllib.error.HTTPError) -> Exception:
    region = error.headers.get("x-amz-bucket-region")
    if error.code == 404:
        return FileNotFoundError(place.url)
    if region and region != place.region:
        return ProblemError(f"the bucket {place.bucket} is in {region}", fix=f"set AWS_REGION={region}")
    if error.code in (401, 403):
        return ProblemError(f"{place.url}: no access ({error.code})", fix=_SIGN_IN)
    return ProblemError(f"{place.url} answered {error.code} {error.reason}", fix="look what is there")


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A signature is for one host, and a store that redirects means another region."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER: Final = urllib.request.build_opener(_NoRedirects)
