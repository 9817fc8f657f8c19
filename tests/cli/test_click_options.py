"""Options that are declared on the fields of a dataclass: one declaration gives the option, its value and its help."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from cluster_forge.catalog.component_format import ALL_SIZES
from cluster_forge.cli import click_options, target_options
from cluster_forge.cli.session import GROUPS, Session
from cluster_forge.foundation.option_fields import arguments, declared, option
from cluster_forge.stack.model import KubernetesVersion, Size, Target
from cluster_forge.stack.schema.description import TargetSchema


def _check_color(text: str) -> None:
    if text not in ("red", "green"):
        raise ValueError(f"unknown color {text!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaintOptions:
    names: tuple[str, ...] = arguments(metavar="[NAME]...")
    fast: bool = option("-f", "--fast", default=False, help="Paint fast.")
    color: tuple[str, ...] = option("--color", default=(), metavar="COLOR", check=_check_color, help="Color.")
    brush: str = option("--brush", default="flat", choices=("flat", "round"), help="Brush.")
    layers: int = option("--layers", default=2, limits=(1, 9), shown_default=True, help="Layers.")
    hours: float = option("--hours", default=1, limits=(0.5, 8.0), help="Hours.")
    folder: tuple[str, ...] = option("--folder", default=(), metavar="DIR", is_path=True, help="Folders.")
    label: str | None = option("--label", default=None, help="Label.")


def paint(*words: str, **environment: str) -> tuple[int, str, PaintOptions | None]:
    """The exit code, the output, and the group that a command gets from a command line."""
    groups: list[PaintOptions] = []

    def run(**values: Any) -> None:
        groups.append(click_options.taken(PaintOptions, values))
        assert values == {}

    command = click.Command("paint", params=click_options.parameters(PaintOptions), callback=run)
    result = CliRunner().invoke(command, list(words), env=environment, auto_envvar_prefix="PAINT")
    return result.exit_code, result.output, groups[0] if groups else None


def test_without_options_the_group_has_its_defaults() -> None:
    assert paint()[2] == PaintOptions()


def test_every_kind_of_option_is_read() -> None:
    words = ["door", "-f", "--color", "red", "--color=green", "--brush", "round", "--layers", "3", "--hours", "1.5"]
    assert paint(*words, "--folder", "a b", "--label", "x", "wall")[2] == PaintOptions(
        names=("door", "wall"),
        fast=True,
        color=("red", "green"),
        brush="round",
        layers=3,
        hours=1.5,
        folder=("a b",),
        label="x",
    )


def test_options_are_read_from_the_environment() -> None:
    group = paint(PAINT_FAST="1", PAINT_COLOR="red green", PAINT_LAYERS="4", PAINT_FOLDER="/a b:/c")[2]
    assert group == PaintOptions(fast=True, color=("red", "green"), layers=4, folder=("/a b", "/c"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--color", "blue"), "unknown color 'blue'"),
        (("--brush", "wide"), "'wide' is not one of"),
        (("--layers", "10"), "10 is not in the range 1<=x<=9"),
        (("--hours", "9"), "9.0 is not in the range"),
        (("--hours", "nan"), "'nan' is not a number"),
    ],
)
def test_a_wrong_value_is_a_usage_error(words: tuple[str, ...], message: str) -> None:
    code, output, group = paint(*words)
    assert (code, group) == (2, None)
    assert message in output


def test_options_of_a_group_have_its_heading_and_number_options_a_short_metavar() -> None:
    assert click_options.heading(PaintOptions) == "Paint options"
    options = [option for option in click_options.parameters(PaintOptions) if isinstance(option, click.Option)]
    assert {option.metavar for option in options if option.name in ("layers", "hours")} == {"N"}


def test_a_session_has_a_field_for_every_group() -> None:
    names = {entry.name for entry in fields(Session)}
    assert set(GROUPS.values()) <= names
    assert all(declared(group) for group in GROUPS)


def test_the_target_of_the_options_is_that_of_a_description() -> None:
    assert TargetSchema().kubernetes == target_options.DEFAULT_KUBERNETES
    assert KubernetesVersion.parse(target_options.DEFAULT_KUBERNETES) == Target().kubernetes
    assert target_options.SIZES == ALL_SIZES == tuple(Size)
    assert Target().size == TargetSchema().size
