"""The mistakes of docs/mistakes.md, and how each is made in the starter stack."""

from __future__ import annotations

import contextlib
import http.server
import io
import socket
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

LIST = "\ndefine:"
"""What follows the last component of the starter."""

CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n"


@dataclass(frozen=True, slots=True)
class Mistake:
    """``edits`` of the description, ``files`` beside it, what is typed, and what the environment says.

    ``{server}`` stands for a local server's address, ``{plain}`` for its host and port, ``{unused}`` for those
    of a port on which no server listens.
    """

    edits: Sequence[tuple[str, str]] = ()
    typed: Sequence[str] = ("forge",)
    files: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def added(text: str) -> list[tuple[str, str]]:
    """One more component at the end of the list."""
    return [(LIST, f"\n{text}{LIST}")]


def chart(repository: str, name: str = "shop", version: str = "1.2.3") -> list[tuple[str, str]]:
    source = f'repository: "{repository}", chart: {name}' + (f", version: {version}" if version else "")
    return added(f"- name: shop\n  namespace: shop\n  helm: {{{source}}}")


def own(template: str) -> dict[str, str]:
    return {"charts/web/Chart.yaml": CHART, "charts/web/templates/web.yaml": template}


WEB = added("- {name: web, namespace: web, helm: {chart: ./charts/web}}")
EXTRA = added("- {name: extra, manifests: [extra/]}")
FETCHED = "https://charts.example.com"

DESCRIPTION = {
    "A key is misspelt": Mistake([("\ngitops:", "\ngitop:")]),
    "A line is indented wrongly": Mistake([("  namespace: demo", "   namespace: demo")]),
    "A tab in the indentation": Mistake([("target:  ", "target:\n\tsize: small\n#")]),
    "No space after a colon": Mistake([("\nname: starter ", "\nname:starter ")]),
    "A value with a colon, not in quotes": Mistake([("clusterName: starter ", "clusterName: a: b ")]),
    "A placeholder, not in quotes": Mistake([("size: small ", "size: {{ size }} ")]),
    "The Kubernetes version, not in quotes": Mistake([('"1.33"', "1.30")]),
    "A Kubernetes version that is too old": Mistake([('"1.33"', '"1.15"')]),
    "A namespace with capitals or underscores": Mistake([("namespace: demo", "namespace: My_Demo")]),
    "One name where a list belongs": Mistake([("needs: [tenancy]", "needs: tenancy")]),
    "A word that is not among the choices": Mistake([("engine: none", "engine: argo")]),
    "An alias of nothing": Mistake([("size: small", "size: *big")]),
    "The marks of a merge conflict": Mistake(
        [("  size: small", "<<<<<<< HEAD\n  size: small\n=======\n  size: large\n>>>>>>> other")]
    ),
    "No components": Mistake(
        files={"config.yaml": "apiVersion: cluster-forge/v1\nkind: Stack\nname: demo\ncomponents: []\n"}
    ),
}

NAMES = {
    "`needs` names an unknown component": Mistake([("needs: [tenancy]", "needs: [tenanzy]")]),
    "`components` names an unknown component": Mistake(added("- shop")),
    "A collection with an unknown member": Mistake([("[node-exporter, metrics]", "[node-exporter, metrix]")]),
    "An unknown name on the command line": Mistake(typed=("smelt", "sample-wob")),
    "An unknown environment": Mistake(typed=("smelt", "--environment", "prodution")),
    "Two components of one name": Mistake(added("- {name: metrics, helm: {chart: ./charts/metrics}}")),
    "A component made from nothing": Mistake(added("- {name: shop, namespace: monitoring}")),
    "Components that need each other": Mistake([("[platform-rbac, priority-classes]", "[sample-web]")]),
}

SOURCES = {
    "A version that there is not": Mistake(chart("{server}/good", version="1.2.4")),
    "A chart that there is not": Mistake(chart("{server}/good", name="shopp")),
    "A repository's address that is wrong": Mistake(chart("{server}/wrong")),
    "The address of a repository's web page": Mistake(chart("{server}/page")),
    "An address without `https://`": Mistake(chart("charts.example.com")),
    "The chart's address in `chart`": Mistake(added(f"- {{name: shop, helm: {{chart: '{FETCHED}/shop'}}}}")),
    "A host that there is not": Mistake(chart("https://repository.invalid")),
    "A port where nobody listens": Mistake(chart("http://{unused}")),
    "`https://` where HTTP is spoken": Mistake(chart("https://{plain}/good")),
    "`--offline` without a mirror": Mistake(chart(FETCHED), ("forge", "--offline")),
    "A mirror's folder that is wrong": Mistake(chart(FETCHED), ("forge", "--offline", "--mirror", "mirrors")),
    "`smelt` before `mine`": Mistake(chart(FETCHED), ("smelt",)),
    "A proxy's port that is wrong": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "http://user:secret@{unused}"}),
    "A proxy that is no address": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "http://proxy:80800"}),
    "A SOCKS proxy": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "socks5://proxy:1080"}),
}

VALUES = {
    "The chart wants a value": Mistake(
        WEB, files=own(OBJECT + 'data: {host: {{ required "give the host" .Values.host | quote }}}\n')
    ),
    "A value of the wrong type": Mistake([("clusterName: starter ", "clusterName: 5 ")]),
    "A value that the chart does not know": Mistake([("clusterName: starter ", "clusterNam: starter ")]),
    "A value is missing above the one that is read": Mistake(
        WEB, files=own(OBJECT + "data: {host: {{ .Values.server.tls.host }}}\n")
    ),
    "`values` inside of `helm`": Mistake(
        [("helm: {chart: ./charts/sample-web}", "helm: {chart: ./charts/sample-web, values: {replicas: 2}}")]
    ),
    "A values file that there is not": Mistake([("valuesFiles: [teams.yaml]", "valuesFiles: [team.yaml]")]),
    "A values file that is a list": Mistake(
        [("valuesFiles: [teams.yaml]", "valuesFiles: [list.yaml]")], files={"list.yaml": "- a\n- b\n"}
    ),
}

MANIFESTS = {
    "A path that leads nowhere": Mistake([("[platform-rbac/]", "[input/platform-rbac/]")]),
    "A chart's folder without Chart.yaml": Mistake([("./charts/sample-web}", "./charts/sample-web/templates}")]),
    "A Helm values file among the manifests": Mistake(EXTRA, files={"extra/values.yaml": "replicas: 2\n"}),
    "A Helm template among the manifests": Mistake(
        EXTRA, files={"extra/web.yaml": "kind: ConfigMap\n{{- if .Values.on }}\ndata: {}\n{{- end }}\n"}
    ),
    "A manifest's address leads to a web page": Mistake(added("- {name: extra, manifests: ['{server}/page/x']}")),
}

COMMANDS = {
    "`-C` names a folder that there is not": Mistake(typed=("-C", "platfrom", "forge")),
    "`-C` names a folder without `input/`": Mistake(typed=("-C", "input/charts", "forge")),
    "`-C` names `input/` itself": Mistake(typed=("-C", "input", "forge")),
    "A verb's option before the verb": Mistake(typed=("--offline", "forge")),
    "`-C` behind the verb": Mistake(typed=("forge", "-C", "platform")),
    "An option is misspelt": Mistake(typed=("forge", "--ofline")),
    "A verb is misspelt": Mistake(typed=("forgee",)),
    "`cast` before `smelt`": Mistake(typed=("cast",)),
}

MISTAKES = DESCRIPTION | NAMES | SOURCES | VALUES | MANIFESTS | COMMANDS


class _Answers(http.server.BaseHTTPRequestHandler):
    """A chart repository at /good, a web page below /page, and nothing else."""

    def do_GET(self) -> None:
        if self.path.startswith("/page/"):
            self._answer(200, b"<!DOCTYPE html>\n<html><head><title>a: b: c</title></head></html>\n")
        elif self.path == "/good/index.yaml":
            versions = ", ".join(
                f"{{version: {version}, urls: [shop-{version}.tgz]}}" for version in ("2.0.0-rc.1", "1.10.0", "1.2.3")
            )
            self._answer(200, f"apiVersion: v1\nentries: {{shop: [{versions}]}}\n".encode())
        elif self.path.startswith("/good/shop-"):
            self._answer(200, archive(self.path.removeprefix("/good/shop-").removesuffix(".tgz")))
        else:
            self._answer(404, b"nothing here")

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def archive(version: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for path, text in (
            ("shop/Chart.yaml", f"apiVersion: v2\nname: shop\nversion: {version}\n"),
            ("shop/templates/shop.yaml", OBJECT),
        ):
            entry = tarfile.TarInfo(path)
            entry.size = len(text)
            packed.addfile(entry, io.BytesIO(text.encode()))
    return buffer.getvalue()


@contextlib.contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """What the placeholders stand for, while the server runs."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        with socket.create_server(("127.0.0.1", 0)) as free:
            unused = f"127.0.0.1:{free.getsockname()[1]}"
        try:
            plain = f"127.0.0.1:{server.server_port}"
            yield {"server": f"http://{plain}", "plain": plain, "unused": unused}
        finally:
            server.shutdown()
            thread.join()
