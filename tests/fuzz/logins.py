"""What servers ask for and answer about logins, and the files of other programs that hold them."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.adapters.credentials.address import Address
from cluster_forge.adapters.credentials.auth_file import AuthFile
from cluster_forge.adapters.credentials.helm_repositories import HelmRepositories
from cluster_forge.adapters.credentials.netrc_file import NetrcFile
from cluster_forge.adapters.credentials.user_files import UserFiles
from cluster_forge.adapters.http import challenges
from cluster_forge.adapters.http.challenges import Challenge
from cluster_forge.adapters.http.tokens import TokenService
from cluster_forge.foundation.errors import CredentialError, FetchError

_HOSTS = (
    "one.example",
    "https://one.example/v1/",
    "one.example/team",
    "docker.io",
    "https://index.docker.io/v1/",
    "[::1]:5",
)
_URLS = ("https://one.example/v2/team/app/manifests/1", "https://registry-1.docker.io/v2/", "http://[::1]:5/charts")
_FOLDER = tempfile.TemporaryDirectory(prefix="cluster-forge-fuzz-")
_FILES = UserFiles({"PATH": ""}, Path(_FOLDER.name))


def _file(name: str, data: bytes) -> Path:
    path = Path(_FOLDER.name) / name
    path.write_bytes(data)
    return path


def _look_up(place: AuthFile | HelmRepositories | NetrcFile) -> None:
    for url in _URLS:
        found = place.find(Address.parse(url))
        assert found is None or (found.secret and str(found))


def _challenge(data: bytes) -> None:
    for challenge in challenges.parse([data.decode("latin-1")]):
        assert challenge.scheme.isascii()
        assert all(name == name.lower() for name in challenge.parameters)


_WORD = st.sampled_from(
    ("Bearer", "Basic", "Negotiate", "realm", "service", "scope", "x", "=", ",", " ", "\t", '"', "\\")
)
_VALUE = st.sampled_from(('realm="https://t.example/token"', 'service="s"', 'scope="repository:a:pull,push"', "x=y"))

CHALLENGE = Target(
    name="challenge",
    read=_challenge,
    refusals=(),
    seeds=(
        b'Bearer realm="https://auth.example/token",service="registry",scope="repository:team/app:pull,push"',
        b'Negotiate YII=, Basic realm="a \\"quoted\\" one", charset="UTF-8"',
    ),
    inputs=st.lists(_WORD | _VALUE | WORDS, max_size=30).map(lambda parts: "".join(parts).encode("latin-1", "replace")),
    odd=(b"", b"=", b'"', b"\\", b"Basic \xff", b",,,", b'Bearer realm="'),
    hostile=lambda: ((repr(unit), unit * 300_000) for unit in (b'a="', b"a ", b"a,", b'"\\', b"a=b,", b"\t")),
)


class _Answer:
    status = 200

    def __init__(self, data: bytes) -> None:
        self.read = io.BytesIO(data).read


class _Requests:
    """A client that answers with one body, whatever is asked."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def may_be_plain(self, url: str) -> bool:
        return False

    def send(self, *args: object, **more: object) -> AbstractContextManager[_Answer]:
        return contextlib.nullcontext(_Answer(self._data))


def _token(data: bytes) -> None:
    """The first line is the realm, the rest what its service answers."""
    realm, _, answer = data.partition(b"\n")
    challenge = Challenge(scheme="bearer", parameters={"realm": realm.decode("latin-1")})
    token = TokenService(requests=_Requests(answer)).token("https://registry.example/v2/", challenge, ["a"], None)
    assert token.value.isprintable()
    assert 0 < token.lifetime <= 86_400


_REALM = st.sampled_from(
    (
        "https://auth.example/token?x=1",
        "http://a.example/",
        "https://127.0.0.1/",
        "https://a:b@c/",
        "file:///x",
        "",
        "//",
        "https://[",
    )
)
_ANSWER = mapping({"token": SCALARS}, {"expires_in": SCALARS, "access_token": SCALARS, "issued_at": SCALARS})

TOKEN = Target(
    name="token",
    read=_token,
    refusals=(FetchError,),
    seeds=(b'https://auth.example/token\n{"token": "abc", "expires_in": 300}',),
    inputs=st.builds(lambda realm, answer: f"{realm}\n{json.dumps(answer)}".encode(), _REALM, spoiled(_ANSWER)),
    odd=(
        b"",
        b"https://a.example\n",
        b"https://a.example\n[]",
        b'https://a.example\n{"token": "a", "expires_in": 1e999}',
    ),
    hostile=lambda: (
        ("deep", b"https://a.example\n" + b"[" * 500_000),
        ("large", b'https://a.example\n{"token": "' + b"a" * 3_000_000 + b'"}'),
    ),
)

_LOGIN = mapping(
    {},
    {
        "auth": st.sampled_from(("bWU6cHc=", "bWU=", "!", "")) | SCALARS,
        "identitytoken": SCALARS,
        "username": SCALARS,
        "password": SCALARS,
    },
)
_LOGINS = mapping(
    {},
    {
        "auths": st.dictionaries(st.sampled_from(_HOSTS) | WORDS, spoiled(_LOGIN), max_size=4),
        "credHelpers": SCALARS,
        "credsStore": SCALARS,
    },
)

LOGINS = Target(
    name="logins",
    read=lambda data: _look_up(AuthFile(_file("config.json", data), _FILES)),
    refusals=(CredentialError,),
    seeds=(
        json.dumps({"auths": {host: {"auth": "bWU6cHc="} for host in _HOSTS}, "HttpHeaders": {}}).encode(),
        b"{}",
    ),
    inputs=spoiled(_LOGINS).map(lambda value: json.dumps(value).encode()),
    odd=(b"", b"\xff", b"null", b"[]", b'{"auths": [1]}', b'{"auths": {"https://[": {"auth": "bWU6cHc="}}}'),
    hostile=lambda: (
        ("deep", b"[" * 1_000_000),
        (
            "many",
            json.dumps({"auths": {f"h{number}.example": {"auth": "bWU6cHc="} for number in range(20_000)}}).encode(),
        ),
    ),
)

_REPOSITORY = mapping(
    {"url": st.sampled_from(_URLS) | SCALARS}, {"username": SCALARS, "password": SCALARS, "caFile": SCALARS}
)

REPOSITORIES = Target(
    name="repositories",
    read=lambda data: _look_up(HelmRepositories(_file("repositories.yaml", data), _FILES)),
    refusals=(CredentialError,),
    seeds=(b"repositories:\n- {name: a, url: 'https://one.example/v2/team', username: me, password: pw}\n",),
    inputs=texts.written(spoiled(mapping({"repositories": spoiled(several(_REPOSITORY))}))),
    odd=texts.ODD_YAML,
)

_NETRC = st.sampled_from(
    ("machine", "login", "password", "account", "default", "macdef", "one.example", "#", '"', "\\", "\n", " ")
)

NETRC = Target(
    name="netrc",
    read=lambda data: _look_up(NetrcFile(_file("netrc", data), _FILES)),
    refusals=(CredentialError,),
    seeds=(b"machine one.example login me password pw\n# a remark\ndefault login anyone password x\n",),
    inputs=st.lists(_NETRC | WORDS, max_size=20).map(lambda parts: " ".join(parts).encode(errors="replace")),
    odd=(b"", b"\xff", b"machine", b"machine one.example", b"macdef a\n", b'machine one.example password "'),
    hostile=lambda: (("long", b"machine " + b"a" * 1_000_000), ("many", b"machine a login b password c\n" * 50_000)),
)
