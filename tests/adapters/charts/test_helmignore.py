"""``.helmignore``: the patterns match as in Helm and in Go, and no pattern takes long."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster_forge.adapters.charts import helmignore
from cluster_forge.foundation.errors import ArchiveError


@pytest.mark.parametrize("pattern", ["a/**", "[z-", "[]a]", "[-a]", "[a-]", "x\\", "[", "[^", "[a\\", "[a"])
def test_patterns_that_helm_rejects(pattern: str) -> None:
    with pytest.raises(ArchiveError) as raised:
        helmignore.parse(f"# one\n{pattern}\n".encode(), "x/.helmignore")
    assert raised.value.where == "x/.helmignore:2"
    assert raised.value.fix


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("helm.txt", "helm.txt", True),
        ("helm.*", "helm.txt", True),
        ("helm.*", "rudder.txt", False),
        ("*.txt", "cargo/a.txt", True),
        ("cargo/*.*", "cargo/a.txt", True),
        ("cargo/*.txt", "mast/a.txt", False),
        ("ru[c-e]?er.txt", "rudder.txt", True),
        ("ru[^c-e]?er.txt", "rudder.txt", False),
        ("[b-a]", "a", False),
        ("[^b-a]", "a", True),
        (".*", ".joonix", True),
        ("cargo/", "cargo/a.txt", True),
        ("cargo/", "cargo", False),
        ("!helm.txt", "helm.txt", False),
        ("!helm.txt", "tiller.txt", True),
        ("!cargo/", "cargo", True),
        ("/a.txt", "cargo/a.txt", False),
        ("/cargo/a.txt", "cargo/a.txt", True),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
        ("*a*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 200, False),
    ],
)
def test_patterns_match_as_in_helm(pattern: str, path: str, ignored: bool) -> None:
    assert helmignore.parse(pattern.encode(), "x").ignores(path) is ignored


GO = """
package main

import ("bufio"; "fmt"; "os"; "path/filepath"; "strings")

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		parts := strings.SplitN(lines.Text(), "\\t", 2)
		ok, err := filepath.Match(parts[0], parts[1])
		fmt.Println(ok, err != nil)
	}
}
"""


@pytest.mark.skipif(shutil.which("go") is None, reason="the Go compiler is not installed")
def test_patterns_match_as_in_go(tmp_path: Path) -> None:
    generator = random.Random(7)
    cases = [(text(generator, "ab*?[]^-\\", 7), text(generator, "ab-^]", 5)) for _ in range(20_000)]
    (tmp_path / "match.go").write_text(GO)
    lines = "".join(f"{pattern}\t{name}\n" for pattern, name in cases)
    command = ["go", "run", "match.go"]
    done = subprocess.run(command, cwd=tmp_path, input=lines, capture_output=True, text=True, check=True)
    for (pattern, name), answer in zip(cases, done.stdout.splitlines(), strict=True):
        # Go does not report an error in a part of a pattern that it does not reach.
        assert matches(pattern, name) in (answer, "false true"), (pattern, name)


def text(generator: random.Random, letters: str, most: int) -> str:
    return "".join(generator.choices(letters, k=generator.randint(1, most)))


def matches(pattern: str, name: str) -> str:
    try:
        return f"{'true' if helmignore._compiled(pattern).match(name) else 'false'} false"
    except ValueError:
        return "false true"


@pytest.mark.parametrize("pattern", ["*a" * 50_000, "?" * 5_000, "[" * 5_000])
def test_overlong_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ArchiveError, match=r"pattern too long: .* \(limit 4,096\)"):
        helmignore.parse(pattern.encode(), "shop/.helmignore")
