"""Patterns of Argo CD's settings: what gobwas/glob 0.2.3 answered for each, but for the last two."""

from __future__ import annotations

import pytest

from cluster_forge.gitops.argocd import globs


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("", "", True),
        ("*", "", True),
        ("*", "apps", True),
        ("**", "a.b/c", True),
        ("*.k8s.io", "discovery.k8s.io", True),
        ("*.k8s.io", "k8s.io", False),
        ("*.k8s.io", "discovery-k8s-io", False),
        ("https://10.0.?.1:6443", "https://10.0.4.1:6443", True),
        ("{apps,batch}", "batch", True),
        ("{apps,batch}", "apps,batch", False),
        ("{*.cilium.io,wgpolicy{k8s,}.io}", "wgpolicyk8s.io", True),
        ("a{b,c{d,e}}f", "acef", True),
        ("a,b}", "a,b}", True),
        ("{a,b", "b", True),  # a brace that is not closed
        ("[abc]", "b", True),
        ("[!abc]", "b", False),
        ("[a-c]x", "bx", True),
        ("[!a-c]x", "dx", True),
        ("[ac-e]", "d", False),  # no range after another character
        ("[ac-e]", "-", True),
        ("[^a]", "a", True),
        (r"[\]a]", "]", True),
        (r"\*", "*", True),
        (r"\*", "a", False),
        (r"{a\,b,c}", "a,b", True),
        ("a\\", "a", True),
        ("[]", "", False),
        ("[]a]", "a", False),
        ("[a-", "a", False),
        ("[c-a]", "b", False),
        ("[a", "a", False),
        (".+", "aa", False),
        ("(a|b)", "a", False),
        ("A*", "ab", False),
        ("*" * 40 + "b", "a" * 300, False),
        ("a*" * 40 + "b", "a" * 300, False),
        ("{" * 40 + "a", "a", False),  # too deep
        ("a" * 300, "a" * 300, False),  # too long
    ],
)
def test_a_pattern_matches(pattern: str, text: str, *, expected: bool) -> None:
    assert globs.matches(pattern, text) is expected
