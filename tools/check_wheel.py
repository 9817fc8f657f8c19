"""Build the wheel, install it alone, and forge the starter stack with its console script in an empty folder; then the example
plug-ins beside it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DIST = PROJECT / "build" / "dist"
PLUGINS = {"cost-center": "transformer", "s3": "source"}
"""The plug-ins in ``examples/plugins`` by name, with their kinds."""
WORKSPACE = {
    "config.yaml": """
apiVersion: cluster-forge/v1
kind: Stack
name: s
transformers: [{plugin: cost-center, files: [table.csv]}]
components: [{name: web, namespace: web, manifests: [web.yaml]}]
""",
    "web.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\n",
    "table.csv": "namespace,component,cost-center\n,web,cc-1\n",
}
REQUIRED = (
    "cluster_forge/py.typed",
    "cluster_forge/__main__.py",
    ".dist-info/licenses/LICENSE",
    ".dist-info/entry_points.txt",
)
EXPECTED = ("stack.json", "deploy.sh", "image/index.json", "repo.git/HEAD")


def main() -> None:
    wheel = build()
    look_inside(wheel)
    with tempfile.TemporaryDirectory(prefix="cluster-forge-wheel-") as folder:
        program = install(wheel, Path(folder) / "venv")
        try_out(program, Path(folder))
        try_plugins(program, Path(folder))
    print(f"{wheel.name}: installs alone, forges the starter stack, and runs the example plug-ins")


def build() -> Path:
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", DIST, PROJECT)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def look_inside(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    missing = [end for end in REQUIRED if not any(name.endswith(end) for name in names)]
    strange = [
        name for name in names if not name.startswith(("cluster_forge/", "cluster_forge-")) or "__pycache__" in name
    ]
    if missing or strange:
        sys.exit(f"{wheel.name}: missing {missing}, unexpected {strange}")


def install(wheel: Path, venv: Path) -> Path:
    run(sys.executable, "-m", "venv", venv)
    folder = venv / ("Scripts" if os.name == "nt" else "bin")
    pip = (folder / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--require-hashes", "--requirement", PROJECT / "requirements" / "runtime.txt")
    run(*pip, "install", "--no-deps", "--no-index", wheel)
    run(*pip, "check")
    return folder / "cluster-forge"


def try_out(program: Path, folder: Path) -> None:
    """Run as a new user does: in an empty folder, without settings in the environment, without a network."""
    workspace = folder / "workspace"
    workspace.mkdir()
    environment = environment_in(folder)
    run(program, "--version", cwd=workspace, env=environment)
    run(program, "init", "--yes", cwd=workspace, env=environment)
    run(program, "forge", "--offline", cwd=workspace, env=environment)
    stack = workspace / "stacks" / "starter"
    missing = [name for name in EXPECTED if not (stack / name).is_file()]
    if missing:
        sys.exit(f"missing in the starter stack: {', '.join(missing)}")


def try_plugins(program: Path, folder: Path) -> None:
    """Build the example plug-ins, install them beside the program, and run one; nothing is fetched."""
    wheels = DIST / "plugins"
    for package in sorted((PROJECT / "examples" / "plugins").iterdir()):
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, package)
    pip = (program.parent / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--no-deps", "--no-index", *sorted(wheels.glob("*.whl")))
    environment = environment_in(folder)
    listed = subprocess.run(
        [program, "plugins", "list", "--format", "json"], env=environment, check=True, stdout=subprocess.PIPE
    )
    usable = {one["name"]: one["kind"] for one in json.loads(listed.stdout)["plugins"] if one["usable"]}
    if usable != PLUGINS:
        sys.exit(f"the example plug-ins that can be used are {usable}, not {PLUGINS}")
    workspace = folder / "plugins"
    (workspace / "input").mkdir(parents=True)
    for name, text in WORKSPACE.items():
        (workspace / "input" / name).write_text(text, encoding="utf-8")
    run(program, "smelt", cwd=workspace, env=environment)
    if "cost-center: cc-1" not in (workspace / "working/web/configmap_web_web.yaml").read_text(encoding="utf-8"):
        sys.exit("the transformer has changed nothing")


def environment_in(folder: Path) -> dict[str, str]:
    """The environment of a new user whose home is in a folder."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "LANG": "C.UTF-8",
    }


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    print("$", " ".join(Path(part).name if Path(part).is_absolute() else str(part) for part in command), flush=True)
    finished = subprocess.run(command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False)
    if finished.returncode:
        sys.exit(f"failed with exit code {finished.returncode}")


if __name__ == "__main__":
    main()
