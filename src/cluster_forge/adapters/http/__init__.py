"""HTTP for adapters that fetch.

`client` sends every request (`requests`): over `connections` that `proxies` and `trust` describe, again if it fails
(`retrying`), and within limits of time (`timing`); `responses` are read in parts, `download` joins those of a file that broke
off, `failures` names causes. `downloads` fetches whole files and imports the rest when it is needed, since urllib3 takes
0.05 s; `offline` stands in for it under ``--offline``.
"""
