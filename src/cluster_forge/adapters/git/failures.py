"""What Git's messages mean: whether to try again or in another way, and what the user can do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from cluster_forge.adapters.git.program import GitError
from cluster_forge.foundation.addresses import masked
from cluster_forge.foundation.errors import FetchError
from cluster_forge.foundation.git_addresses import GitAddress

_SHOWN: Final = 300
"""Characters of Git's own words in a message."""
_AFTER_ALL: Final = "fatal: Could not read from remote repository"
"""Git's last words about everything that SSH has said before."""
_UNABLE: Final = re.compile(
    r"not our ref|unadvertised object|(?<!dumb http transport )does not support (?:shallow|filter)|unsupported filter|filter-spec"
    r"|missing blob|bad object|could not fetch [0-9a-f]{40}|remote did not send all necessary",
    re.IGNORECASE,
)
"""A server that cannot send a part."""
_TEMPORARY: Final = re.compile(
    r"Could not resolve host|Temporary failure in name resolution|Connection (?:reset|timed out|closed)|early EOF"
    r"|timed out|Timeout was reached|hung up unexpectedly|unexpected disconnect|RPC failed|Empty reply from server"
    r"|Recv failure|transfer closed|returned error: (?:408|425|429|5\d\d)|HTTP (?:408|425|429|5\d\d)|curl (?:18|52|55|56|92)"
    r"|index-pack failed|bad pack header|bad line length|kex_exchange_identification|flush packet|protocol error",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Meaning:
    pattern: str
    message: str
    fix: str


_MEANINGS: Final = (
    _Meaning(
        r"returned error: 403|HTTP 403|Permission to .* denied",
        "the server refuses access (403)",
        "check what the credentials may read: `git ls-remote {url}` uses the same ones",
    ),
    _Meaning(
        r"Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|returned error: 401"
        r"|HTTP Basic: Access denied|Invalid username",
        "the server wants credentials (401), and those that Git has do not suffice",
        "let Git keep them (`git credential approve`, a credential helper or ~/.netrc); test: `git ls-remote {url}`",
    ),
    _Meaning(
        r"Permission denied \(|Too many authentication failures|no mutual signature",
        "the SSH server refuses every key",
        "add the key to the agent (`ssh-add -l` lists them); test: `git ls-remote {url}`",
    ),
    _Meaning(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Offending \S+ key in",
        "the SSH server has another host key than the one in known_hosts: it was replaced, or someone is in between",
        "ask its operators; if they replaced it: `ssh-keygen -R HOST` ([HOST]:PORT with a port), then connect once: "
        "`git ls-remote {url}`",
    ),
    _Meaning(
        r"Host key verification failed",
        "the SSH server's host key is not in known_hosts",
        "compare it with what its operators publish, then connect once: `git ls-remote {url}`",
    ),
    _Meaning(
        r"ssh: connect to host|ssh: Could not resolve",
        "the SSH server cannot be reached",
        "check host and port, and whether a VPN or a jump host is needed; test: `git ls-remote {url}`",
    ),
    _Meaning(
        r"cannot run \S*ssh\b|ssh: (?:command )?not found",
        "the program 'ssh' cannot be started",
        "install OpenSSH's client, or correct GIT_SSH_COMMAND or core.sshCommand",
    ),
    _Meaning(
        r"SSL certificate|certificate verif|self.signed|server certificate",
        "the server's certificate is not trusted",
        "name the file with your CA: `git config --global http.sslCAInfo FILE`, or GIT_SSL_CAINFO",
    ),
    _Meaning(
        r"dumb http transport",
        "the server has the repository as plain files only (dumb HTTP), which cannot be fetched in part",
        "serve it with `git http-backend`, or clone it and write git+file:///PATH",
    ),
    _Meaning(
        r"dubious ownership",
        "the repository belongs to another user of this machine",
        "`git config --global --add safe.directory DIR`, if you trust it",
    ),
    _Meaning(
        r"transport '.*' not allowed|Protocol .* (?:not supported|disabled)|Unsupported protocol",
        "it leads to a protocol that is not followed",
        "check the server's redirects, and `url.*.insteadOf` in Git's configuration",
    ),
    _Meaning(
        r"[Rr]epository .*not found|does not (?:exist|appear to be a git repository)|returned error: 404|not found"
        r"|unable to access .*: The requested URL returned error: 410",
        "there is no such repository, or not for these credentials",
        "check the address: `git ls-remote {url}`",
    ),
)


def is_unable(failure: GitError) -> bool:
    """Whether the server cannot send just a part of a repository, and may send all of it."""
    return not failure.is_limit and bool(_UNABLE.search(failure.text))


def temporary_reason(failure: GitError) -> str:
    """Why a failure may be gone soon, in a few words; empty if it will stay."""
    match = None if failure.is_limit or is_unable(failure) else _TEMPORARY.search(failure.text)
    return match[0] if match else ""


def of(failure: GitError, address: GitAddress) -> FetchError:
    """The error for a failed call about a repository."""
    where = address.shown
    url = address.remote
    if failure.is_limit:
        return FetchError(f"{where}: {failure.text}", fix=f"try again later; test: `git ls-remote {url}`")
    quoted = _quoted(failure.text)
    for meaning in _MEANINGS:
        if re.search(meaning.pattern, failure.text):
            return FetchError(f"{where}: {meaning.message}{quoted}", fix=meaning.fix.format(url=url))
    return FetchError(f"{where} cannot be fetched{quoted}", fix=f"try again later; test: `git ls-remote {url}`")


def _quoted(text: str) -> str:
    """Git's own words, on one line and without credentials."""
    lines = [line.strip() for line in re.split(r"[\r\n]", text)]
    errors = [
        line
        for line in lines
        if re.match(r"fatal:|error:|ssh:|remote: (?:error|fatal)|.*Permission denied|Host key|Offending", line)
    ]
    errors = [line for line in errors if not line.startswith(_AFTER_ALL)] or errors
    words = masked(" ".join(" ".join(errors or [line for line in lines if line][-1:]).split()))
    return f": {words[:_SHOWN]}" if words else ""
