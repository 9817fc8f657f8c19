"""Passwords in commands: the options, in scripts and lists of arguments, by which known programs take one.

The commands that are looked at, and the length of each, are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from cluster_forge.checks.security import secret_values

_MOST_COMMANDS: Final = 1_000
_LONGEST_COMMAND: Final = 1_000
_VALUE: Final = r"[\"']?([^\s\"']{1,200})"
_PAIR: Final = rf"[\"']?[^\s:\"'/]{{1,100}}:{_VALUE}"
_OPTIONS: Final[tuple[tuple[str, str], ...]] = (
    ("curl|etcdctl", rf"\s(?:-[A-Za-z]{{0,8}}u[ =]?|-U[ =]?|--(?:proxy-)?user[ =]){_PAIR}"),
    ("mysql|mysqldump|mysqladmin|mysqlsh|mariadb|mariadb-dump|mariadb-admin", rf"\s-p{_VALUE}"),
    ("redis-cli|valkey-cli", rf"\s(?:-a|--pass)[ =]{_VALUE}"),
    ("sshpass", rf"\s-p ?{_VALUE}"),
    ("mongo|mongosh|mongodump|mongorestore|mongoexport|mongoimport", rf"\s-p[ =]?{_VALUE}"),
    ("ldapsearch|ldapadd|ldapmodify|ldapdelete|ldapwhoami", rf"\s-w ?{_VALUE}"),
    ("docker|podman|nerdctl|helm|crane|oras|skopeo|buildah|az|argocd", rf"\slogin\s(?:\S+ +){{0,20}}?-p[ =]?{_VALUE}"),
    ("rabbitmqctl", rf"\s(?:add_user|change_password)\s+\S+\s+{_VALUE}"),
    ("mc|mcli", rf"\s(?:alias set|config host add)\s+\S+\s+\S+\s+\S+\s+{_VALUE}"),
    ("htpasswd", r"\s-[A-Za-z]{0,8}b[A-Za-z]{0,8}\s+(?:\S+\s+){1,2}[\"']?([^\s\"'>]{1,200})[\"']?\s*(?:>|\Z)"),
    ("openssl", rf"\s-pass(?:in|out)?\s+[\"']?pass:{_VALUE}"),
    ("keytool", rf"\s-(?:src|dest)?(?:store|key)pass\s+{_VALUE}"),
)
"""Programs, and the option with a password; of ``curl -u user:password`` the second half."""
_PATTERNS: Final = tuple((names.split("|"), re.compile(option)) for names, option in _OPTIONS)
_NAMES: Final = tuple(name for names, _ in _PATTERNS for name in names)
_PROGRAM: Final = re.compile(rf"(?<![\w.-])({'|'.join(sorted(_NAMES, key=len, reverse=True))})(?=\s)")
_COMMAND: Final = re.compile(r"(?:[^\n;|&\\]|\\[ \t]*\n|\\.)*")
"""One command, on several lines if they end in a backslash."""
_CHPASSWD: Final = re.compile(r"[\w.-]{1,32}:([^\s:\"']{1,200})[\"']?[ \t]{0,4}\|[ \t]{0,4}(?:sudo )?chpasswd")

_LOGIN: Final = re.compile(
    rf"(?<![\w-])--?(?:src-|dest-|from-|to-)?(?:creds|basic-auth|basicauth|userpass)[ =]{{1,4}}{_PAIR}"
)
"""The option of a login in whatever program: ``--creds user:password``."""


def passwords_in(text: str) -> Iterator[str]:
    """The passwords that a text gives to programs: ``a password (curl)``."""
    if " " not in text:
        return
    has_program = any(name in text for name in _NAMES)
    for _, match in zip(range(_MOST_COMMANDS), _PROGRAM.finditer(text) if has_program else (), strict=False):
        command = _COMMAND.match(text, match.end(), match.end() + _LONGEST_COMMAND)
        if command and not secret_values.is_in_comment(text, match.start()) and _has_password(match[1], command[0]):
            yield f"a password ({match[1]})"
    if "chpasswd" in text and _has_value(_CHPASSWD, text):
        yield "a password (chpasswd)"
    if ("creds" in text or "auth" in text or "userpass" in text) and _has_value(_LOGIN, text):
        yield "a login in an option"


def _has_password(program: str, command: str) -> bool:
    option = next(pattern for names, pattern in _PATTERNS if program in names)
    return _has_value(option, command.replace("\\\n", " "))


def _has_value(pattern: re.Pattern[str], text: str) -> bool:
    return any(not secret_values.stands_for_value(value) for value in pattern.findall(text))
