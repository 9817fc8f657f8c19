"""What a command reads besides the description: options files, and the paths that a user names."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
from hypothesis import strategies as st
from tests.fuzz import texts
from tests.fuzz.target import Target
from tests.fuzz.texts import ANY, WORDS, spoiled

from cluster_forge.adapters.workspace import WorkspaceFiles
from cluster_forge.cli import app, options_file
from cluster_forge.foundation.errors import DescriptionError, LockError, WorkspaceError


def _options(data: bytes) -> None:
    """The first line names the verb, the rest is the file."""
    words, _, content = data.partition(b"\n")
    names = [word for word in words.decode(errors="replace").split() if word in _VERBS][:1] or ["smelt"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ci.yaml")
        path.write_bytes(content)
        with click.Context(app.cluster_forge, info_name="cluster-forge", obj=folder) as root:
            command = app.cluster_forge.get_command(root, names[0])
            assert command
            with click.Context(command, parent=root, info_name=names[0]) as context:
                options_file.defaults(str(path), Path(folder), context)


_VERBS = ("smelt", "mine", "cast", "forge", "init", "convert", "config")
_OPTIONS = (
    *(
        "jobs",
        "format",
        "mirror",
        "offline",
        "store",
        "skip",
        "allow",
        "quiet",
        "--yes",
        "select",
        "helm-engine",
        "names",
    ),
    *("environment", "origins", "update", "force", "show", "validate"),
)
_OPTION_VALUES = st.dictionaries(st.sampled_from(_OPTIONS) | WORDS, ANY, max_size=4)

OPTIONS = Target(
    name="options",
    read=_options,
    refusals=(DescriptionError,),
    seeds=(
        b"mine\njobs: 2\nmirror: [a, b]\nskip: x\nquiet: true\nmine: {format: json, offline: no, store: s}\n",
        b"smelt\nselect: a.yaml\nsmelt: {allow: [unpinned-image], environment: production, helm-engine: auto}\nmine: {x: y}\n",
        b"config\nverbose: true\nconfig: {show: {origins: true}}\n",
    ),
    inputs=st.builds(
        lambda verb, file: verb + b"\n" + file,
        st.sampled_from([verb.encode() for verb in _VERBS]),
        texts.written(
            spoiled(
                st.builds(
                    lambda top, own: {**top, **own},
                    _OPTION_VALUES,
                    st.dictionaries(st.sampled_from(_VERBS), spoiled(_OPTION_VALUES), max_size=2),
                )
            )
        ),
    ),
    odd=tuple(b"smelt\n" + text for text in texts.ODD_YAML),
    hostile=lambda: ((name, b"smelt\n" + text) for name, text in texts.hostile_yaml()),
)

_WORKSPACE = tempfile.TemporaryDirectory(prefix="cluster-forge-fuzz-")


def _paths(data: bytes) -> None:
    """Any path that a description may name, read in a real workspace."""
    files = WorkspaceFiles(Path(_WORKSPACE.name))
    for path in data.decode("utf-8", "surrogateescape").split("\n"):
        files.read(path)
        files.list_files(path)
        files.read_tree(path)


PATHS = Target(
    name="paths",
    read=_paths,
    refusals=(WorkspaceError, LockError),
    seeds=(b"input/values.yaml", b"../../dev/zero\n/dev/zero", b"input/./a//b/../c", b"input"),
    inputs=st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    hostile=lambda: (
        ("a-long-path", b"a/" * 500_000),
        ("a-long-name", b"a" * 1_000_000),
        ("upwards", b"../" * 10_000 + b"dev/zero"),
    ),
    share=0.5,
)
