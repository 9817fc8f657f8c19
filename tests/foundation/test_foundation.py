"""Errors, digests, names, versions and file trees."""

from __future__ import annotations

import re
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proportion import assert_in_proportion

from cluster_forge.foundation import error_groups, errors
from cluster_forge.foundation.addresses import as_key, is_public, masked, masked_values, without_credentials
from cluster_forge.foundation.digest import Digest
from cluster_forge.foundation.file_tree import FileTree, join
from cluster_forge.foundation.names import ComponentName, did_you_mean, nearest
from cluster_forge.foundation.versions import SemanticVersion

OLD_CODES = range(10, 26)
"""The codes of the types that were there before the families (ADR 0015)."""


def test_every_error_type_has_a_unique_code_and_a_meaning() -> None:
    kinds = [kind for family in errors.FAMILIES for kind in errors.types_of(family)]
    codes = [kind.exit_code for kind in kinds]
    assert len(codes) == len(set(codes))
    assert all(kind.meaning for kind in kinds)
    drawn = errors.__doc__ or ""
    assert all(re.search(rf"{kind.__name__} +{kind.exit_code}  ", drawn) for kind in kinds)
    assert sorted(code for code in codes if code in OLD_CODES) == list(OLD_CODES)


def test_new_error_types_take_codes_of_their_family() -> None:
    for family in errors.FAMILIES:
        codes = {kind.exit_code for kind in errors.types_of(family)}
        assert codes - set(OLD_CODES) <= set(family.new_codes)
        assert f"{family.new_codes[0]}-{family.new_codes[-1]}" in (errors.__doc__ or "")
    reserved = [code for family in errors.FAMILIES for code in family.new_codes]
    assert len(reserved) == len(set(reserved))
    assert set(reserved) == set(range(26, 60))


def test_every_error_type_belongs_to_a_family() -> None:
    assert set(errors.ForgeError.__subclasses__()) == set(errors.FAMILIES)


def test_several_errors_are_raised_in_one_group() -> None:
    error_groups.raise_all([])
    one, two = errors.FetchError("a", where="x:1"), errors.LockError("b")
    with pytest.raises(errors.FetchError, match="x:1: a"):
        error_groups.raise_all([one])
    with pytest.raises(ExceptionGroup) as caught:
        error_groups.raise_all([one, two])
    assert list(error_groups.leaves(ExceptionGroup("all", [caught.value, one]))) == [one, two, one]


def test_every_call_is_made_and_all_errors_are_raised_in_their_order() -> None:
    made: list[int] = []
    raised = {
        1: errors.FetchError("one"),
        3: ExceptionGroup("inner", [errors.LockError("two"), ExceptionGroup("deep", [errors.FetchError("three")])]),
    }

    def call(number: int) -> int:
        made.append(number)
        if number in raised:
            raise raised[number]
        return number

    assert error_groups.gathered(partial(call, number) for number in (0, 2, 4)) == [0, 2, 4]
    assert error_groups.gathered([]) == []
    made.clear()
    with pytest.raises(ExceptionGroup) as caught:
        error_groups.gathered(partial(call, number) for number in range(5))
    assert [str(error) for error in caught.value.exceptions] == ["one", "two", "three"]
    assert made == list(range(5))
    with pytest.raises(errors.FetchError) as single:
        error_groups.gathered(partial(call, number) for number in range(3))
    assert single.value is raised[1]


@pytest.mark.parametrize("bug", [KeyError("bug"), ExceptionGroup("mixed", [errors.FetchError("x"), KeyError("bug")])])
def test_a_bug_ends_the_calls_at_once(bug: Exception) -> None:
    made: list[int] = []

    def call(number: int) -> None:
        made.append(number)
        raise bug if number == 1 else errors.FetchError("not a bug")

    with pytest.raises(type(bug)) as caught:
        error_groups.gathered(partial(call, number) for number in range(3))
    assert caught.value is bug
    assert made == [0, 1]


def test_digests_are_parsed_with_and_without_their_algorithm() -> None:
    digest = Digest.of(b"")
    assert str(digest) == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Digest.parse(str(digest)) == Digest.parse(digest.hex) == digest
    for wrong in ("sha512:" + digest.hex, digest.hex[:-1], "", "x" * 64):
        with pytest.raises(ValueError, match="not a sha256 digest"):
            Digest.parse(wrong)


@pytest.mark.parametrize("wrong", ["", "Shop", "a_b", "-a", "a-", "a" * 64, "a.b"])
def test_a_component_name_must_be_a_dns_label(wrong: str) -> None:
    with pytest.raises(ValueError, match="DNS label"):
        ComponentName(wrong)


def test_the_nearest_name_is_suggested() -> None:
    assert nearest("grafna", ["grafana", "loki"]) == "grafana"
    assert did_you_mean("grafna", ["grafana"]) == ", did you mean 'grafana'?"
    assert did_you_mean("zzz", ["grafana"]) == ""


def test_versions_sort_as_semver_says() -> None:
    texts = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
    ]
    texts += ["1.0.0", "v1.1", "1.1.1", "2", "10.0.0"]
    versions = [SemanticVersion.parse(text) for text in texts]
    assert None not in versions
    assert versions == sorted(versions, key=lambda version: version or SemanticVersion(0, 0, 0, True, ()))
    assert SemanticVersion.parse("1.2.3+build") == SemanticVersion.parse("v1.2.3")
    assert SemanticVersion.parse("latest") is None


paths = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=3).map("/".join)
trees = st.dictionaries(paths, st.binary(max_size=5), max_size=6).map(FileTree)


@given(trees, st.sampled_from(["x", "x/y"]))
def test_a_tree_can_be_moved_into_a_folder(tree: FileTree, folder: str) -> None:
    assert {
        path.removeprefix(f"{folder}/"): content for path, content in tree.under(folder).files.items()
    } == tree.files
    assert tree.under(folder).size == tree.size
    assert list(tree) == sorted(tree.files)
    assert len(tree) == len(tree.files)


@given(trees, trees)
def test_trees_have_equal_digests_only_if_they_are_equal(one: FileTree, other: FileTree) -> None:
    assert (one.digest == other.digest) == (one == other)


def test_modes_change_the_digest_and_duplicate_paths_are_an_error() -> None:
    plain, runs = FileTree({"a": b"1"}), FileTree({"a": b"1"}, frozenset({"a"}))
    assert plain.digest != runs.digest
    assert join(plain, FileTree({"b": b"2"}))["b"] == b"2"
    with pytest.raises(ValueError, match="duplicate path: 'a'"):
        join(plain, runs)


@pytest.mark.parametrize("path", ["", "/a", "a//b", "../a", "a/./b", "a/"])
def test_absolute_and_unclean_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a relative path"):
        FileTree({path: b""})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/x.yaml", "https://a.example/x.yaml"),
        ("https://me:secret@a.example/x@y", "https://a.example/x@y"),
        ("https://a.example/x?token=secret#frag", "https://a.example/x"),
        ("oci://me@a.example:5000/x", "oci://a.example:5000/x"),
        ("https://me:sec@ret@a.example/x", "https://a.example/x"),
        ("https://me:secret/#?@a.example/x", "https://a.example/x"),
        ("https://me:secret#@a.example", "https://a.example"),
        ('https://me:sec ret"x@a.example/x', "https://a.example/x"),
        ("https://me:secret@[::1]/x", "https://[::1]/x"),
        ("jdbc:postgresql://me:secret@a.example/x", "jdbc:postgresql://a.example/x"),
        ("https://secret@a.example", "https://a.example"),
        ("ssh://git:secret@a.example:22/x", "ssh://a.example:22/x"),
        ("https:/me:secret@a.example/x", "https:/a.example/x"),
        ("//me:secret@a.example/x", "//a.example/x"),
        ("me:secret@a.example/x", "a.example/x"),
        ("https://a.example/x#token=secret", "https://a.example/x"),
        ("https://[::1]:8443/x@y", "https://[::1]:8443/x@y"),
        ("https://a.example:443/x@y", "https://a.example:443/x@y"),
        ("file:///C:/a@b", "file:///C:/a@b"),
        ("registry.example/x:1@sha256:00", "registry.example/x:1@sha256:00"),
        ("http:me:secret@a.example/x", "a.example/x"),
        ("HTTPS:\\\\me:secret@a.example/x", "a.example/x"),
    ],
)
def test_addresses_are_shown_without_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown
    assert as_key(url).partition("?")[0] == shown
    assert "secret" not in as_key(url)


def test_addresses_that_differ_in_their_query_have_different_keys() -> None:
    one, other = (as_key(f"https://a.example/x?ref={ref}") for ref in ("main", "next"))
    assert one != other
    assert as_key("https://me:one@a.example/x?ref=main") == one


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://me:secret@a.example/x?sig=secret, please", "see https://a.example/x, please"),
        ("git+ssh://git@a.example:22/x and SSH://me@b/y", "git+ssh://git@a.example:22/x and SSH://me@b/y"),
        ("ssh://git:secret@a.example/x, https://secret@b/y", "ssh://a.example/x, https://b/y"),
        ("ssh://me@one@a.example/x ssh://git@a/x?secret", "ssh://a.example/x ssh://git@a/x"),
        ("('--mirror=https://me:secret@a.example/x?a=secret&b=secret')", "('--mirror=https://a.example/x')"),
        ('{"u":"https://me:secret@a.example/x?secret","v":"me@b"}', '{"u":"https://a.example/x","v":"me@b"}'),
        ("https://me:s/ec/ret@a.example: unknown", "https://a.example: unknown"),
        (
            "a https://a.example/x#part and https://b.example/?secret.",
            "a https://a.example/x#part and https://b.example/.",
        ),
        ("https://a.example:8443: me@b", "https://a.example:8443: me@b"),
        ("image nginx:1.29@sha256:00, mail me@a.example", "image nginx:1.29@sha256:00, mail me@a.example"),
        ("(//me:secret@a.example/x)", "(//a.example/x)"),
        ("me:secret@a.example/index.yaml: missing", "a.example/index.yaml: missing"),
        ("input/http:me:secret@a.example/x does not exist", "input/http:a.example/x does not exist"),
        ("input/HTTPS:\\\\me:secret@a.example/x does not exist", "input/HTTPS:a.example/x does not exist"),
        ("image alpine/git:v2.45@sha256:00", "image alpine/git:v2.45@sha256:00"),
        ("https://me:secret@a.example/x\nhttps://me:secret@b.example/", "https://a.example/x\nhttps://b.example/"),
    ],
)
def test_addresses_in_a_text_lose_their_credentials(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown
    assert masked_values({"a": [text, 1, None], text: (text,)}) == {"a": [shown, 1, None], shown: [shown]}


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://a/x", True),
        ("https://a:8443/x@y.git", True),
        ("git@a.example:team/x.git", True),
        ("ssh://git@a.example:22/x", True),
        ("git+ssh://git@a.example/x", True),
        ("registry.example/x", True),
        ("", True),
        ("https://me@a/x", False),
        ("https://a/x?y", False),
        ("https://a/x#access_token=y", False),
        ("https://me:p@a/x", False),
        ("HTTPS://me:p@a/x", False),
        ("oci://me:p@a/x", False),
        ("ssh://git:p@a/x", False),
        ("me:p@a/x", False),
        ("//me:p@a/x", False),
        ("https://me:p/w@a/x", False),
    ],
)
def test_credentials_in_an_address_are_found(url: str, public: bool) -> None:
    assert is_public(url) == public
    assert is_public(without_credentials(url))


@given(st.text(max_size=50))
def test_masking_is_done_after_one_pass_and_never_fails(text: str) -> None:
    assert "canary" not in masked(f"https://me:canary@a.example/{text.replace('canary', '')}")
    assert masked(masked(text)) == masked(text)


def test_long_quotes_in_a_message_are_shortened() -> None:
    error = errors.DescriptionError(f"not a name: {'x' * 1_000_000!r}", where="f:1", fix="y" * 10_000)
    assert str(error).startswith("f:1: not a name: 'xxx")
    assert str(error).endswith("xxx'")
    assert len(str(error)) < 2_100
    assert len(error.fix or "") < 2_100


@pytest.mark.parametrize("text", ["9" * 5_000, "1." + "9" * 5_000, "1.0.0-" + "9" * 5_000, "1" * 257])
def test_a_version_of_thousands_of_digits_is_not_parsed(text: str) -> None:
    assert SemanticVersion.parse(text) is None


def test_a_very_long_word_gets_no_suggestion() -> None:
    assert nearest("x" * 1_000_000, ["x" * 63]) is None


@pytest.mark.parametrize(
    "text", ["a://x:y", "http://h#a", "http://h?.,a", "a://b", "u@", "//", "a:", "x:/", "a://u:p/w@h "]
)
@pytest.mark.parametrize("around", ["", "a@"])
def test_masking_takes_time_in_proportion_to_the_text(text: str, around: str) -> None:
    """A pattern that looks for an address's end from each of its beginnings took minutes for these."""

    def run(times: int) -> None:
        for function in (masked, without_credentials, as_key, is_public):
            function(around + text * times)
            function(text * times + around)

    assert_in_proportion(run, 30_000)
