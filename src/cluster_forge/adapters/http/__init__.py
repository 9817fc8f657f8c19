"""HTTP for adapters that fetch: connections, proxies, retries, size limits and error texts.

`downloads` fetches whole files and `offline` stands in for it under ``--offline``. Only `client` and what it imports need
urllib3.
"""
