"""Chart archives: changed bytes of gzip and tar, unsafe members, and unusual charts."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import SCALARS, WORDS, mapping, several, spoiled

from cluster_forge.adapters.charts import check_archive, helmignore
from cluster_forge.adapters.helm.sdk import HelmSdk
from cluster_forge.adapters.rendering.in_process import InProcessRenderer
from cluster_forge.adapters.yaml.fast import FastYaml
from cluster_forge.adapters.yaml.go import GoYaml
from cluster_forge.adapters.yaml.pure_python import PurePythonYaml
from cluster_forge.foundation.errors import ArchiveError, ManifestError, RenderError
from cluster_forge.foundation.names import ComponentName
from cluster_forge.ports.rendering import RenderJob, RenderRequest
from cluster_forge.stack.model import KubernetesVersion

_ENGINE = HelmSdk()
_RENDERER = InProcessRenderer(_ENGINE, FastYaml(GoYaml(PurePythonYaml())))
_CHART_YAML = b"apiVersion: v2\nname: shop\nversion: 1.2.3\n"
_FILE = b"\n#=== "


def _archive(data: bytes) -> None:
    """The input is a tar, whose members are easier to change than those of a gzip; anything else is read unchanged."""
    packed = gzip.compress(data, compresslevel=1, mtime=0) if b"ustar" in data[:1024] else data
    check_archive(packed, "shop.tgz")
    _ENGINE.render(request(packed))


def request(chart: bytes) -> RenderRequest:
    return RenderRequest(
        chart=chart,
        values={"replicas": 2, "text": "x"},
        release="shop",
        namespace="shop",
        kubernetes=KubernetesVersion(1, 33),
        api_versions=("policy/v1",),
    )


def tar(*members: tuple[str, bytes] | tarfile.TarInfo, kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind, errors="surrogateescape") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                entry = tarfile.TarInfo(member[0])
                entry.size = len(member[1])
                archive.addfile(entry, io.BytesIO(member[1]))
    return buffer.getvalue()


def special(name: str, kind: bytes, linkname: str = "", headers: dict[str, str] | None = None) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.pax_headers = kind, linkname, headers or {}
    return entry


_CHART = (
    ("shop/Chart.yaml", _CHART_YAML),
    ("shop/values.yaml", b"replicas: 1\n"),
    ("shop/templates/a.yaml", b"kind: A\nreplicas: {{ .Values.replicas }}\n"),
)
_NAMES = st.sampled_from(
    (
        *(
            "shop/a",
            "shop/Chart.yaml",
            "shop/templates/b.yaml",
            "/etc/passwd",
            "../up",
            "shop/../../up",
            "C:\\x",
            "shop\\..\\x",
        ),
        *(
            "",
            ".",
            "shop",
            "shop/",
            "shop//a",
            "x" * 300,
            "shop/" + "d/" * 200,
            "\udcff\udcfe",
            "shop/\udcff",
            "shop/ünï",
            "a\nb",
        ),
        *("shop/charts/sub/Chart.yaml", "shop/charts/sub.tgz", "shop/crds/x.yaml", "shop/values.schema.json"),
    )
)
_KINDS = st.sampled_from([*b"01234567SxgLKDM\0A"]).map(lambda code: bytes([code]))
_PAX = st.dictionaries(
    st.sampled_from(
        (
            "size",
            "path",
            "linkpath",
            "mtime",
            "uid",
            "GNU.sparse.size",
            "GNU.sparse.map",
            "GNU.sparse.major",
            "hdrcharset",
            "x",
        )
    ),
    st.sampled_from(("0", "-1", "1e9", "99999999999999", "a", "", "../x", "1", "0,1,5,9", "BINARY", "nan", "é")),
    max_size=3,
)
_MEMBERS = st.one_of(st.tuples(_NAMES, st.binary(max_size=40)), st.builds(special, _NAMES, _KINDS, _NAMES, _PAX))
_FORMATS = st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))


def _tar_or_nothing(members: Sequence[tuple[str, bytes] | tarfile.TarInfo], kind: int, first: bool) -> bytes:
    """A tar of these members; if Python refuses to write them, only the mutations cover them."""
    try:
        return tar(*(members if first else ()), *_CHART, *(() if first else members), kind=kind)
    except (ValueError, UnicodeError, tarfile.TarError):
        return tar(*_CHART, kind=kind)


def _hostile_archives() -> Iterator[tuple[str, bytes]]:
    zeros = zlib.compressobj(9, wbits=31)
    yield "a-bomb", b"".join(zeros.compress(bytes(1 << 20)) for _ in range(1_000)) + zeros.flush()
    large = tar(*_CHART, *((f"shop/files/{n}", bytes(60 << 20)) for n in range(3)))
    yield "almost-too-large", gzip.compress(large, compresslevel=1)
    yield "many-headers", tar(*_CHART, *(special(f"shop/{n}", b"0", headers={"x": "y" * 400}) for n in range(15_000)))
    records = b"".join(b"%d a%d=b\n" % (len(b"00 a=b\n") + len(str(n)), n) for n in range(600_000))
    yield "a-header-of-10-MB", header(b"x", records) + tar(*_CHART)
    yield "a-global-header-of-10-MB", header(b"g", b"6 a=b\n" * 1_600_000) + tar(*_CHART)
    yield "a-chain-of-headers", header(b"x", b"7 ab=c\n") * 9_000 + tar(*_CHART)
    yield "a-long-name", header(b"L", b"n" * 9_000_000) + tar(*_CHART)
    yield "spaces-before-a-header-record", header(b"x", b" " * 9_000_000) + tar(*_CHART)
    yield "digits-in-a-header-record", header(b"x", b"1" * 9_000_000) + tar(*_CHART)
    yield (
        "a-sparse-map",
        header(b"x", b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n")
        + tar(("shop/x", b"99999999\n" + b"1\n" * 400_000), *_CHART),
    )
    yield "twenty-thousand-members", tar(*_CHART, *((f"shop/{n}", b"") for n in range(19_900)))
    yield "members-of-gzip", gzip.compress(b"", compresslevel=1) * 300_000
    for name, text in texts.hostile_yaml():
        if len(text) < 25_000_000:
            yield f"{name}-as-chart", tar(("shop/Chart.yaml", text))
            yield f"{name}-as-values", tar(*_CHART[:1], ("shop/values.yaml", text), _CHART[2])


def header(kind: bytes, content: bytes) -> bytes:
    """The bytes of an extended header in a tar."""
    entry = tarfile.TarInfo("././@PaxHeader")
    entry.type, entry.size = kind, len(content)
    return entry.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512)


def _charts(shared: Path) -> list[bytes]:
    charts = sorted((shared / "mirror" / "charts").glob("*.tgz"))
    return [path.read_bytes() for path in charts if path.stat().st_size < 20_000]


ARCHIVE = Target(
    name="archive",
    read=_archive,
    refusals=(ArchiveError, RenderError),
    seeds=(tar(*_CHART), tar(*_CHART, kind=tarfile.GNU_FORMAT), gzip.compress(tar(*_CHART), mtime=0)),
    inputs=st.builds(_tar_or_nothing, st.lists(_MEMBERS, min_size=1, max_size=4), _FORMATS, st.booleans()),
    hostile=_hostile_archives,
    corpus=_charts,
)


def _chart(data: bytes) -> None:
    """The files of a chart as one text; rendered by Helm's engine, and the output read."""
    first, *others = data.split(_FILE)
    files = {"shop/Chart.yaml": first}
    for other in others:
        name, _, content = other.partition(b"\n")
        files[f"shop/{name.decode(errors='replace')}"] = content
    packed = gzip.compress(tar(*files.items()), compresslevel=1, mtime=0)
    check_archive(packed, "shop.tgz")
    _RENDERER.render(RenderJob(component=ComponentName("shop"), chart=request(packed)))


def _packed(chart: bytes, values: bytes, schema: bytes, template: bytes) -> bytes:
    parts = {b"values.yaml": values, b"values.schema.json": schema, b"templates/a.yaml": template}
    return chart + b"".join(_FILE + name + b"\n" + content for name, content in parts.items() if content)


_CHART_TREES = mapping(
    {"apiVersion": st.sampled_from(("v1", "v2", "v3")), "name": WORDS, "version": SCALARS},
    {
        "type": st.sampled_from(("application", "library", "x")),
        "kubeVersion": SCALARS | st.just(">=1.20.0-0"),
        "dependencies": several(mapping({"name": WORDS, "version": SCALARS}, {"condition": WORDS, "alias": WORDS})),
        "annotations": st.dictionaries(WORDS, SCALARS, max_size=2),
        "appVersion": SCALARS,
        "maintainers": several(SCALARS),
    },
)
_SNIPPETS = st.sampled_from(
    (
        *(
            "{{ .Values.text }}",
            "{{ .Values.replicas }}",
            "{{ .Values.no.such }}",
            '{{ include "x" . }}',
            "{{",
            "}}",
            "{{-",
            "-}}",
        ),
        *(
            '{{ fail "no" }}',
            '{{ required "set it" .Values.x }}',
            "{{ toYaml .Values }}",
            "{{ tpl .Values.text . }}",
            '{{ .Files.Get "a" }}',
        ),
        *(
            "{{ range .Values.list }}",
            "{{ end }}",
            "{{ if .Values.x }}",
            '{{ define "x" }}a{{ end }}',
            '{{ template "x" }}',
            '{{ lookup "v1" "Pod" "a" "b" }}',
        ),
        *(
            '{{ printf "%d" "x" }}',
            "{{ index .Values 1 }}",
            "{{ div 1 0 }}",
            "{{ mod 1 0 }}",
            '{{ substr 5 1 "a" }}',
            '{{ slice "abc" 2 1 }}',
            '{{ repeat 3 "a" }}',
        ),
        *(
            "{{ until 5 }}",
            "{{ untilStep 0 5 0 }}",
            "{{ seq 1 3 }}",
            '{{ b64dec "=" }}',
            '{{ fromYaml "[" }}',
            '{{ regexMatch "(" "a" }}',
            '{{ semver "x" }}',
        ),
        *(
            "kind: A\n",
            "apiVersion: v1\n",
            "metadata:\n  name: x\n",
            "---\n",
            "# Source\n",
            "a: &a [*a]\n",
            "{{/* c */}}",
            "\n",
            '{{ "\\xff" }}',
        ),
    )
)

CHART = Target(
    name="chart",
    read=_chart,
    refusals=(ArchiveError, RenderError, ManifestError),
    seeds=(
        _packed(
            b"apiVersion: v2\nname: shop\nversion: 1.2.3\nkubeVersion: '>=1.25.0-0'\ndependencies: []\n",
            b"replicas: 1\ntext: a\nlist: [1, 2]\nnested: {a: {b: c}}\n",
            b'{"type": "object", "properties": {"replicas": {"type": "integer"}}}',
            b"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  replicas: {{ .Values.replicas }}\n"
            b'{{- if .Capabilities.APIVersions.Has "policy/v1" }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n'
            b"data: {{ toYaml .Values.nested | nindent 2 }}\n{{- end }}\n",
        ),
    ),
    inputs=st.builds(
        _packed,
        texts.written(spoiled(_CHART_TREES)),
        texts.written(spoiled(st.dictionaries(WORDS, SCALARS, max_size=3))),
        st.sampled_from(
            (
                b"",
                b"",
                b"{",
                b"[]",
                b'{"type": 5}',
                b'{"$ref": "#"}',
                b'{"$ref": "https://x.example/s"}',
                b'{"pattern": "("}',
            )
        ),
        st.lists(_SNIPPETS, max_size=6).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    ),
    odd=tuple(
        part
        for text in texts.ODD_YAML
        for part in (text, _packed(_CHART_YAML, text, b"", b""), _packed(_CHART_YAML, b"", b"", text))
    ),
    share=0.8,
)


def _ignore(data: bytes) -> None:
    rules = helmignore.parse(data, "shop/.helmignore")
    for path in ("templates/a.yaml", "a/b/c/d.txt", "ünï", "x" * 1000, "a/" * 50 + "b"):
        rules.ignores(path)


IGNORE = Target(
    name="helmignore",
    read=_ignore,
    refusals=(ArchiveError,),
    seeds=(b"# comment\n*.swp\n/charts/*.tgz\n!keep?\n[a-z]*/\n[^x-z\\]]\n\\*\ndocs/\n",),
    inputs=st.lists(st.text(st.sampled_from("*?[]^-\\/!#.ab \n"), max_size=30), max_size=5).map(
        lambda lines: "\n".join(lines).encode()
    ),
    hostile=lambda: (
        ("stars", b"*a" * 50_000),
        ("question-marks", b"?" * 200_000),
        ("brackets", b"[a-z]" * 50_000),
        ("an-open-bracket", b"[" * 500_000),
        ("many-patterns", b"".join(b"*a%d*b*c\n" % n for n in range(5_000))),
        ("backslashes", b"\\" * 500_001),
    ),
    share=0.4,
)
