"""Files with the values of Secrets, decrypted by the programs ``age`` and ``sops``. What they print stays in memory.

A plain file is refused: who has the values in clear text hands them over on stdin. Identities are found as SOPS finds them
(SOPS, "Encrypting using age"): ``SOPS_AGE_KEY``, ``SOPS_AGE_KEY_FILE``, ``SOPS_AGE_SSH_PRIVATE_KEY_FILE``, and
``sops/age/keys.txt`` in the user's folder for settings. No value and no key is in an argument list or a file.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cluster_forge.foundation.errors import CredentialError, MissingProgramError
from cluster_forge.foundation.stopping import if_stopped

STDIN: Final = "-"
_LARGEST: Final = 4 << 20
_SECONDS: Final = 120.0
"""For a program that may ask a key service, or its user for a passphrase."""
_AGE: Final = re.compile(rb"age-encryption\.org/v1\n|-----BEGIN AGE ENCRYPTED FILE-----")
_SOPS: Final[Mapping[str, re.Pattern[bytes]]] = {
    "yaml": re.compile(rb"^sops:", re.MULTILINE),
    "json": re.compile(rb'^\s*\{.*"sops"\s*:', re.DOTALL),
    "dotenv": re.compile(rb"^sops_mac=", re.MULTILINE),
}
_ACCESS: Final[Mapping[str, str]] = {
    "age": "set SOPS_AGE_KEY_FILE to an identity that it is encrypted for; if it is, the file is damaged: encrypt it again",
    "sops": "give sops access to its key: an identity in SOPS_AGE_KEY_FILE, a PGP key, or a login at the key service; if it has that, "
    "the file was changed or is damaged: encrypt it again",
}
_ADVERTISED: Final = re.compile(r"^age: report .*$", re.MULTILINE)
"""What age adds to each error."""
_KEY: Final = re.compile(r"AGE-SECRET-KEY-\w+")
_UNPRINTABLE: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|[^\x20-\x7e\u00a0-\uffff]+")
_SHOWN: Final = 400


def read(source: str, environment: Mapping[str, str]) -> str:
    """The decrypted text of a file, or that of stdin (`STDIN`).

    Raises:
        CredentialError: if it cannot be read or decrypted, is too large, or is not encrypted.
        MissingProgramError: if ``age`` or ``sops`` is needed and not there.
    """
    if source == STDIN:
        return _text(_bounded(sys.stdin.buffer.read(_LARGEST + 1), "stdin"), "stdin")
    path = Path(source).absolute()
    try:
        with path.open("rb") as file:
            content = _bounded(file.read(_LARGEST + 1), source)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise CredentialError(f"cannot be read: {reason}", where=source, fix="name a file that exists") from error
    if _AGE.match(content):
        with _identities(source, environment) as (identities, descriptors):
            return _text(_run("age", ["--decrypt", *identities, str(path)], source, environment, descriptors), source)
    for kind, pattern in _SOPS.items():
        if pattern.search(content):
            words = ["--decrypt", "--input-type", kind, "--output-type", kind, str(path)]
            return _text(_run("sops", words, source, environment), source)
    raise CredentialError(
        "is not encrypted, and values of Secrets do not belong into a plain file",
        where=source,
        fix=f"encrypt it: `sops encrypt {source}` or `age -r RECIPIENT {source}`; or hand it over on stdin: --secrets -",
    )


@contextlib.contextmanager
def _identities(source: str, environment: Mapping[str, str]) -> Iterator[tuple[list[str], list[int]]]:
    """The options that name identities, and the descriptor of a pipe that holds one from the environment."""
    files = [
        environment[name] for name in ("SOPS_AGE_KEY_FILE", "SOPS_AGE_SSH_PRIVATE_KEY_FILE") if environment.get(name)
    ]
    settings = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "~")) / ".config")
    usual = Path(settings) / "sops" / "age" / "keys.txt"
    if usual.is_file():
        files.append(str(usual))
    key = environment.get("SOPS_AGE_KEY", "")
    if not files and not key:
        raise CredentialError(
            "there is no identity to decrypt it with age",
            where=source,
            fix="set SOPS_AGE_KEY_FILE to the file of an identity (`age-keygen -o FILE` makes one), or SOPS_AGE_KEY to the identity",
        )
    options = [word for file in files for word in ("--identity", file)]
    if not key:
        yield options, []
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(key.encode()[: 1 << 15])  # less than a pipe holds without a reader
        yield [*options, "--identity", f"/dev/fd/{reading}"], [reading]
    finally:
        os.close(reading)


def _run(
    program: str, words: list[str], source: str, environment: Mapping[str, str], descriptors: list[int] | None = None
) -> bytes:
    """What a program prints."""
    path = shutil.which(program, path=environment.get("PATH"))
    if not path:
        raise MissingProgramError(
            f"{source} is encrypted for {program}, which is not on PATH",
            fix=f"install {program}, or decrypt elsewhere: --secrets -",
        )
    try:
        with (
            subprocess.Popen(  # noqa: S603 - a program that the user installed, without a shell
                [path, *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=dict(environment),
                pass_fds=descriptors or (),
            ) as process,
            if_stopped(process.kill),
        ):
            try:
                output, complaint = process.communicate(timeout=_SECONDS)
            except BaseException:
                process.kill()
                raise
    except subprocess.TimeoutExpired as error:
        raise CredentialError(f"{program} did not end within {_SECONDS:.0f} s", where=source) from error
    except OSError as error:
        raise CredentialError(f"{program} cannot be started: {error.strerror}", where=source) from error
    if process.returncode:
        raise CredentialError(
            f"{program} cannot decrypt it: {_said(complaint)}",
            where=source,
            fix=_ACCESS[program],
        )
    return _bounded(output, source)


def _said(complaint: bytes) -> str:
    reason = _ADVERTISED.sub("", complaint.decode(errors="replace"))
    text = _KEY.sub("AGE-SECRET-KEY-…", _UNPRINTABLE.sub(" ", reason))
    return " ".join(text.split())[:_SHOWN] or "it gives no reason"


def _bounded(content: bytes, source: str) -> bytes:
    if len(content) > _LARGEST:
        raise CredentialError(
            f"has more than {_LARGEST >> 20} MiB", where=source, fix="keep values of Secrets alone in it"
        )
    return content


def _text(content: bytes, source: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise CredentialError(
            "is not text in UTF-8", where=source, fix="give binary values in `data`, in base64"
        ) from None
