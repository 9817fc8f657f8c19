"""check: the findings about the stack, known from smelt or computed now. Words after it look at one matter more closely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cluster_forge.cli import check_codes, check_versions, check_words, checking, click_options, help_page
from cluster_forge.cli.options import check_code
from cluster_forge.cli.output.findings.formats import FORMATS
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, SELECTS, verb

if TYPE_CHECKING:
    from cluster_forge.cli.output.findings.report import Report
    from cluster_forge.composition import Services
    from cluster_forge.stages.describe.load_description import Description

Wanted = Callable[[str, str], bool]
"""Whether findings with this code about this component (empty: the stack) are listed."""


@verb(*BUILDS, *SELECTS, formats=FORMATS)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "notice"]),
    default="error",
    show_default=True,
    help="Exit with 1 if a finding is as bad as this.",
)
@click.option(
    "--only",
    multiple=True,
    metavar="CODE",
    callback=click_options.checked(check_code),
    help="List findings with this code only (repeatable).",
)
@click.option(
    "--skip-check",
    multiple=True,
    metavar="CODE",
    callback=click_options.checked(check_code),
    help="List no findings with this code (repeatable).",
)
@click.option(
    "--profile",
    type=click.Choice(["cis", "nsa", "pss"]),
    help="Judge the stack by the controls of a benchmark instead.",
)
@click.option(
    "--kubernetes", metavar="RANGE", help="Check the stack on these minors instead, such as 1.29..1.36: a table."
)
@click.option("--deep", is_flag=True, help="Render the charts again, for random output and values that change nothing.")
@click.option("--baseline", metavar="FILE", help="List what is not in this file of the workspace only.")
@click.option("--write-baseline", metavar="FILE", help="Write all findings into this file of the workspace.")
@click.option("--fix", is_flag=True, help="Change the description where a finding says how; shows the changes first.")
def command(  # noqa: PLR0913 - an option each
    session: Session,
    *,
    fail_on: str,
    only: tuple[str, ...],
    skip_check: tuple[str, ...],
    profile: str | None,
    kubernetes: str | None,
    deep: bool,
    baseline: str | None,
    write_baseline: str | None,
    fix: bool,
) -> int:
    """List what is wrong with the stack, why it matters, and how to mend it.

    Checks what cast would take, hand edits included; where working/ is out of date, what smelt would write. Nothing is
    fetched, and nothing written but by --fix and --write-baseline. The whole stack is checked, without
    what --skip leaves out; with NAMEs only the findings about these are listed. The exit code is 1 if one is an error. With a baseline only new findings count. A profile (CIS Kubernetes Benchmark, NSA/CISA
    guidance, Pod Security Standards) has a table of its controls instead; the exit code is 1 if one failed. A range of
    Kubernetes versions has a table of components and versions, each rendered and checked. --deep renders each chart again, at
    another time and without each of your values: minutes at first, then from the cache.

    Examples:
        cluster-forge check
        cluster-forge check grafana loki --fail-on warning
        cluster-forge check --only missing-reference --format json
        cluster-forge check --write-baseline known-findings.json
        cluster-forge check --baseline known-findings.json --format github
        cluster-forge check --format sarif > findings.sarif
        cluster-forge check --fix
        cluster-forge check --deep
        cluster-forge check --profile cis
        cluster-forge check --kubernetes 1.29..1.36
    """
    from cluster_forge.manifests.finding import Severity

    _refuse_words(session)
    _refuse_pairs(session, profile, kubernetes, baseline, write_baseline, fix=fix)
    if profile:
        if only or skip_check or deep or baseline or write_baseline:
            raise click.UsageError("--profile has controls instead of findings: it goes with no other option of check")
        return check_words.profile_of(session, profile)
    if kubernetes:
        if only or skip_check or deep or baseline or write_baseline:
            raise click.UsageError(
                "--kubernetes has a table instead of findings: it goes with no other option of check"
            )
        return check_versions.run(session, kubernetes)
    with session.services(offline=True) as services:
        whole = checking.whole(session, services)
        check_codes.refuse_unknown((*only, *skip_check), whole.stack, services)
        names = checking.names(session, services)
        report = replace(_report(session, services, whole, is_deep=deep), names=names, fail_on=Severity(fail_on))

        def wanted(code: str, component: str) -> bool:
            is_wanted = (not only or code in only) and code not in skip_check
            return is_wanted and (names is None or component in names)

        if write_baseline:
            if only or skip_check or names is not None:
                raise click.UsageError(
                    "--write-baseline takes all findings: it goes with no NAME, --only or --skip-check"
                )
            _write_baseline(session, services, write_baseline, report)
            return 0
        report = _wanted(report, wanted)
        if fix:
            from cluster_forge.cli import check_fix

            return check_fix.run(session, services, report.ordered)
        if baseline:
            report = _compared(services, baseline, report, wanted)
    _print(session, report)
    return 1 if any(map(report.fails, report.findings)) else 0


def _refuse_pairs(  # noqa: PLR0913 - an option each
    session: Session,
    profile: str | None,
    kubernetes: str | None,
    baseline: str | None,
    write_baseline: str | None,
    *,
    fix: bool,
) -> None:
    """Options of which one would do nothing: a pipeline would take that for an answer."""
    if session.output.format in FORMATS and (profile or kubernetes or fix or write_baseline):
        raise click.UsageError(f"--format {session.output.format} is for findings alone; --format json goes with all")
    if bool(baseline) + bool(write_baseline) + fix > 1:
        raise click.UsageError(
            "--baseline, --write-baseline and --fix each end the run in another way: pass one of them"
        )
    if fix and (profile or kubernetes):
        raise click.UsageError("--fix mends findings: it goes with neither --profile nor --kubernetes")


def _print(session: Session, report: Report) -> None:
    """Print the report on stdout; documents of other tools also with ``--quiet``."""
    from cluster_forge.cli.output.findings import as_json, formats, text
    from cluster_forge.cli.output.streams import to_stdout

    if session.output.format in FORMATS:
        for content in formats.contents(session.output.format, report):
            to_stdout(content)
        return
    for line in text.lines(report, session.output.verbosity):
        session.print(line)
    session.print_json("check", **as_json.content(report))


def _refuse_words(session: Session) -> None:
    """A word of its own that is not right after the verb would be taken for a component."""
    words = help_page.words_of(command)
    if words and (word := next((name for name in session.selection.names if name in words.commands), "")):
        raise click.UsageError(f"`{word}` goes right after the verb: {session.command_line(f'check {word}')}")


def _report(session: Session, services: Services, whole: Description, *, is_deep: bool) -> Report:
    """All findings about the stack."""
    from cluster_forge.cli.output.findings.report import Report
    from cluster_forge.stages.check.check_stack import STAGE, check

    with session.reporting("render", STAGE) as reporter:
        checked = check(checking.request(session, services, whole, is_deep=is_deep), services.toolbox, reporter)
    files = services.files
    return Report(
        stack=whole.stack,
        parts=checked.parts,
        basis=checked.basis,
        findings=checked.findings,
        is_file=lambda path: files.read(path) is not None,
    )


def _wanted(report: Report, wanted: Wanted) -> Report:
    findings = [finding for finding in report.findings if wanted(finding.code, finding.component or "")]
    return replace(report, findings=findings)


def _compared(services: Services, path: str, report: Report, wanted: Wanted) -> Report:
    """The report without what is in the baseline."""
    from cluster_forge.cli import baseline_file
    from cluster_forge.stack import variant
    from cluster_forge.stages.check.baseline import compare

    known = baseline_file.read(services, path, variant.folder(report.stack))
    entries = [entry for entry in known.findings if wanted(entry.code, entry.component)]
    compared = compare(entries, report.findings)
    return replace(report, findings=compared.new, known=compared.known, mended=compared.mended)


def _write_baseline(session: Session, services: Services, path: str, report: Report) -> None:
    from cluster_forge.cli import baseline_file
    from cluster_forge.foundation.names import counted
    from cluster_forge.stack import variant

    file = baseline_file.write(services, path, variant.folder(report.stack), report.findings)
    number = len(report.findings)
    session.print(f"{counted(number, 'finding')} in {file}; next: {session.command_line(f'check --baseline {file}')}")
    session.print_json("check --write-baseline", stack=report.stack.name, file=file, findings=number)


help_page.add_word(command, "fit", check_words.fit)
help_page.add_word(command, "security", check_words.security)
help_page.add_word(command, "vulnerabilities", check_words.vulnerabilities)
