"""Files fetched by HTTP, in one piece and as they are sent."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from cluster_forge.foundation.errors import FetchError, OfflineError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

