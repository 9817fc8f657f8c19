"""The mistakes of docs/mistakes.md, and how a test makes each of them in the starter stack."""

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
    """``edits`` of the description, ``files`` beside it, the command, and the environment.

    ``{server}`` stands for a local server's address, ``{plain}`` for its host and port, ``{closed}`` for the host and
    port of a closed port.
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
    "A misspelled key": Mistake([("\ngitops:", "\ngitop:")]),
    "Wrong indentation": Mistake([("  namespace: demo", "   namespace: demo")]),
    "A tab in the indentation": Mistake([("target:  ", "target:\n\tsize: small\n#")]),
    "No space after a colon": Mistake([("\nname: starter ", "\nname:starter ")]),
    "An unquoted value with a colon": Mistake([("clusterName: starter ", "clusterName: a: b ")]),
    "An unquoted placeholder": Mistake([("size: small ", "size: {{ size }} ")]),
    "An unquoted Kubernetes version": Mistake([('"1.33"', "1.30")]),
    "An unsupported Kubernetes version": Mistake([('"1.33"', '"1.15"')]),
    "A namespace with capitals or underscores": Mistake([("namespace: demo", "namespace: My_Demo")]),
    "A name instead of a list": Mistake([("needs: [tenancy]", "needs: tenancy")]),
    "An unknown choice": Mistake([("engine: argocd", "engine: argo")]),
    "An undefined alias": Mistake([("size: small", "size: *big")]),
    "Conflict markers": Mistake(
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
    "Two components with one name": Mistake(added("- {name: metrics, helm: {chart: ./charts/metrics}}")),
    "A component without a source": Mistake(added("- {name: shop, namespace: monitoring}")),
    "A dependency cycle": Mistake([("[platform-rbac, priority-classes]", "[sample-web]")]),
}

SOURCES = {
    "An unknown version": Mistake(chart("{server}/good", version="1.2.4")),
    "An unknown chart": Mistake(chart("{server}/good", name="shopp")),
    "A wrong repository address": Mistake(chart("{server}/wrong")),
    "The address of a web page": Mistake(chart("{server}/page")),
    "An address without `https://`": Mistake(chart("charts.example.com")),
    "The chart's address in `chart`": Mistake(added(f"- {{name: shop, helm: {{chart: '{FETCHED}/shop'}}}}")),
    "An unknown host": Mistake(chart("https://repository.invalid")),
    "A closed port": Mistake(chart("http://{closed}")),
    "`https://` for a plain HTTP server": Mistake(chart("https://{plain}/good")),
    "`--offline` without a mirror": Mistake(chart(FETCHED), ("forge", "--offline")),
    "A wrong mirror folder": Mistake(chart(FETCHED), ("forge", "--offline", "--mirror", "mirrors")),
    "`smelt` before `mine`": Mistake(chart(FETCHED), ("smelt",)),
    "A wrong proxy port": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "http://user:secret@{closed}"}),
    "An invalid proxy address": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "http://proxy:80800"}),
    "A SOCKS proxy": Mistake(chart(FETCHED), environment={"HTTPS_PROXY": "socks5://proxy:1080"}),
}

VALUES = {
    "A required value is missing": Mistake(
        WEB, files=own(OBJECT + 'data: {host: {{ required "give the host" .Values.host | quote }}}\n')
    ),
    "A value of the wrong type": Mistake([("clusterName: starter ", "clusterName: 5 ")]),
    "A value that the chart's schema does not allow": Mistake([("clusterName: starter ", "clusterNam: starter ")]),
    "A missing parent value": Mistake(WEB, files=own(OBJECT + "data: {host: {{ .Values.server.tls.host }}}\n")),
    "`values` inside `helm`": Mistake(
        [("helm: {chart: ./charts/sample-web}", "helm: {chart: ./charts/sample-web, values: {replicas: 2}}")]
    ),
    "A missing values file": Mistake([("valuesFiles: [teams.yaml]", "valuesFiles: [team.yaml]")]),
    "A values file that is a list": Mistake(
        [("valuesFiles: [teams.yaml]", "valuesFiles: [list.yaml]")], files={"list.yaml": "- a\n- b\n"}
    ),
}

MANIFESTS = {
    "A path that does not exist": Mistake([("[platform-rbac/]", "[input/platform-rbac/]")]),
    "A chart folder without Chart.yaml": Mistake([("./charts/sample-web}", "./charts/sample-web/templates}")]),
    "A Helm values file among the manifests": Mistake(EXTRA, files={"extra/values.yaml": "replicas: 2\n"}),
    "A Helm template among the manifests": Mistake(
        EXTRA, files={"extra/web.yaml": "kind: ConfigMap\n{{- if .Values.on }}\ndata: {}\n{{- end }}\n"}
    ),
    "A manifest URL that is a web page": Mistake(added("- {name: extra, manifests: ['{server}/page/x']}")),
}


def kubeconfig(user: str = "token: secret", server: str = "https://{closed}", *, context: str = "") -> Mistake:
    """A verb that asks a cluster, with a kubeconfig of one context."""
    text = (
        "current-context: production\n"
        "contexts:\n- {name: production, context: {cluster: here, user: me}}\n"
        f'clusters:\n- {{name: here, cluster: {{server: "{server}"}}}}\n'
        f"users:\n- {{name: me, user: {{{user}}}}}\n"
    )
    chosen = ("--context", context) if context else ()
    return Mistake(typed=("history", "--kubeconfig", "input/kubeconfig", *chosen), files={"kubeconfig": text})


PLUGIN = "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: %s}"

CLUSTERS = {
    "No kubeconfig": Mistake(typed=("history",), environment={"KUBECONFIG": "kubeconfig"}),
    "An unknown context": kubeconfig(context="prodution"),
    "A credential plug-in that is not installed": kubeconfig(PLUGIN % "kubelogin-of-ours"),
    "A credential plug-in that fails": kubeconfig(PLUGIN % "'false'"),
    "A login that Kubernetes removed": kubeconfig("auth-provider: {name: gcp}"),
    "A cluster that is not running": kubeconfig(),
    "`https://` for a server without TLS": kubeconfig(server="https://{plain}"),
    "A server that is not Kubernetes": kubeconfig(server="{server}"),
}

COMMANDS = {
    "`-C` with a missing folder": Mistake(typed=("-C", "platfrom", "forge")),
    "`-C` with a folder without `input/`": Mistake(typed=("-C", "input/charts", "forge")),
    "`-C` with `input/` itself": Mistake(typed=("-C", "input", "forge")),
    "A verb's option before the verb": Mistake(typed=("--offline", "forge")),
    "`-C` after the verb": Mistake(typed=("forge", "-C", "platform")),
    "A misspelled option": Mistake(typed=("forge", "--ofline")),
    "A misspelled verb": Mistake(typed=("forgee",)),
    "`cast` before `smelt`": Mistake(typed=("cast",)),
}

MISTAKES = DESCRIPTION | NAMES | SOURCES | VALUES | MANIFESTS | CLUSTERS | COMMANDS


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
            closed = f"127.0.0.1:{free.getsockname()[1]}"
        try:
            plain = f"127.0.0.1:{server.server_port}"
            yield {"server": f"http://{plain}", "plain": plain, "closed": closed}
        finally:
            server.shutdown()
            thread.join()
