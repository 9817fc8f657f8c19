"""The certificate that a server shows, trusted or not: to say what is wrong with it."""

from __future__ import annotations

import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

from cluster_forge.adapters.http import certificates, proxies
from cluster_forge.adapters.http.certificates import Certificate

_SECONDS: Final = 5.0


def of(url: str, proxy: str) -> Certificate | None:
    """What the server at ``url`` shows, through ``proxy`` if that is not empty; None if it shows none. Nothing is sent over
    this connection.
    """
    parts, through = urlsplit(url), urlsplit(proxy)
    if through.scheme == "https":  # TLS within TLS: more than the message is worth
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host, port = str(parts.hostname), parts.port or 443
    reached = (str(through.hostname), through.port or 80) if through.hostname else (host, port)
    connection = http.client.HTTPSConnection(*reached, timeout=_SECONDS, context=context)
    try:
        if through.hostname:
            connection.set_tunnel(host, port, proxies.login(proxy))
        connection.connect()
        encoded = connection.sock.getpeercert(binary_form=True)
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return certificates.read(encoded) if encoded else None
