"""The words after `check`: who may do what, what benchmarks say, what scanners found, and whether the nodes hold it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING

import click

from cluster_forge.cli import checking
from cluster_forge.cli.session import Session
from cluster_forge.cli.verb import BUILDS, DESCRIBES, SELECTS, verb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cluster_forge.checks.vulnerabilities.joined import JoinedReports
    from cluster_forge.checks.vulnerabilities.openvex import Statement
    from cluster_forge.checks.vulnerabilities.vulnerability import ScannedImage
    from cluster_forge.composition import Services
    from cluster_forge.manifests.manifest import Manifest
    from cluster_forge.stages.build.image_values import ImagePaths


@verb(*BUILDS, *SELECTS)
def security(session: Session) -> None:
    """Show who may do what in the cluster, and which images reach the node.

    Lists the ServiceAccounts, groups and users with rights beyond their own part of the cluster, worst first, each with its
    roles and the workloads that run as it; the Pods that reach the node, each with its images; how many keep which Pod
    Security level; tokens that no role makes use of, and Pods that no NetworkPolicy selects. With NAMEs only what is about
    these. Nothing is fetched or written.

    Examples:
        cluster-forge check security
        cluster-forge check security velero longhorn
        cluster-forge check security --format json
    """
    from cluster_forge.checks.security.overview import SecurityOverview
    from cluster_forge.cli.output import security_text

    with session.services(offline=True) as services:
        checked = checking.objects(session, services)
        overview = SecurityOverview.of(checked).about(_named(session, services))
    for line in security_text.lines(overview):
        session.print(line)
    session.print_json("check security", stack=checked.stack.name, **security_text.json(overview))


@verb(*BUILDS, *DESCRIBES)
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True)
@click.option(
    "--vex", multiple=True, metavar="FILE", help="Leave out what an OpenVEX document calls harmless (repeatable)."
)
@click.option(
    "--fail-on",
    type=click.Choice(["critical", "high", "medium", "low"]),
    help="Exit with 1 if a vulnerability is as bad as this.",
)
@click.option("--require-reports", is_flag=True, help="Exit with 1 if an image of the stack has no report.")
@click.option("--ignore-unfixed", is_flag=True, help="Leave out vulnerabilities that no version of the package mends.")
@click.option("--environment", metavar="NAME", help="Apply an environment of the description.")
def vulnerabilities(  # noqa: PLR0913 - an option each
    session: Session,
    *,
    reports: tuple[str, ...],
    vex: tuple[str, ...],
    fail_on: str | None,
    require_reports: bool,
    ignore_unfixed: bool,
    environment: str | None,
) -> int:
    """Join reports of scanners to the images of the stack, and to the values that set them.

    REPORT is a file of Trivy (JSON), of Grype (JSON), or with VulnerabilityReports of the Trivy operator (JSON or YAML).
    What reaches the node or serves clients outside comes first. Images without a report are named: they were not scanned.
    Nothing is fetched or scanned here. With --fail-on the exit code is also 1 if no report is about an image of the stack.

    Examples:
        trivy image --format json -o loki.json grafana/loki:3.6.2
        cluster-forge check vulnerabilities loki.json
        kubectl get vulnerabilityreports -A -o json > reports.json
        cluster-forge check vulnerabilities reports.json --fail-on critical
        cluster-forge check vulnerabilities reports.json --require-reports
        cluster-forge check vulnerabilities *.json --ignore-unfixed --vex vex.json
    """
    from cluster_forge.checks.vulnerabilities.vulnerability import Degree
    from cluster_forge.cli.output import vulnerabilities_text

    session = replace(session, selection=replace(session.selection, environment=environment))
    with session.services(offline=True) as services:
        result = _joined(session, services, reports, vex, ignore_unfixed=ignore_unfixed)
        values = _values(session, services) if result.affected else {}
    for line in vulnerabilities_text.lines(result, values, is_long=session.output.verbose):
        session.print(line)
    session.print_json("check vulnerabilities", **vulnerabilities_text.json(result, values))
    if require_reports and result.unscanned:
        return 1
    return 1 if fail_on and result.is_as_bad_as(Degree(fail_on)) else 0


@verb(*BUILDS, *SELECTS)
@click.option("--placement", is_flag=True, help="List each node with the Pods on it.")
def fit(session: Session, *, placement: bool) -> int:
    """Place the stack's Pods on target.nodes, by the rules of the scheduler.

    Requests, taints, selectors, affinity, topology spread, host ports and devices decide, also while Deployments are updated
    and with one node down. The least number of nodes that would do is counted. Prints the footprint of each component;
    without target.nodes that is all. The exit code is 1 if the stack does not fit.

    Examples:
        cluster-forge check fit
        cluster-forge check fit --placement
        cluster-forge check fit --environment production --format json
    """
    from cluster_forge.checks.fit import views
    from cluster_forge.checks.fit.stack_fit import StackFit
    from cluster_forge.cli.output import fit_text

    if session.selection.names or session.selection.select or session.selection.skip:
        raise click.UsageError("`check fit` takes no NAME, --select or --skip: all components share the nodes")
    with session.services(offline=True) as services:
        checked = checking.objects(session, services)
    page = views.page(StackFit.of(checked))
    for line in fit_text.lines(page, has_placement=placement):
        session.print(line)
    session.print_json("check fit", stack=checked.stack.name, **page)
    return 1 if page["verdict"] in ("does-not-fit", "not-placed") else 0


def _joined(
    session: Session, services: Services, files: Sequence[str], vex: Sequence[str], *, ignore_unfixed: bool
) -> JoinedReports:
    """The reports, joined to the stack; all that is wrong with the files at once."""
    from cluster_forge.checks.vulnerabilities import joined, openvex, reports, stack_images
    from cluster_forge.cli import report_files
    from cluster_forge.foundation.error_groups import gathered

    read_yaml = services.toolbox.reader.read

    def report(name: str) -> list[ScannedImage]:
        return reports.read(report_files.read(name, read_yaml), name)

    def document(name: str) -> list[Statement]:
        return openvex.read(report_files.read(name, read_yaml), name)

    scanned = gathered(partial(report, name) for name in files)
    statements = gathered(partial(document, name) for name in vex)
    uses = stack_images.uses(checking.objects(session, services))
    exploitability = openvex.in_order(chain.from_iterable(statements))
    return joined.joined(uses, chain.from_iterable(scanned), exploitability, ignore_unfixed=ignore_unfixed)


def _values(session: Session, services: Services) -> Mapping[str, ImagePaths]:
    """The values that set images, by component."""
    from cluster_forge.stages.build import image_values

    request = checking.request(session, services, checking.whole(session, services))
    return {
        str(component.name): image_values.of(component, request.sources[component.name], services.toolbox)
        for component in request.stack.components
        if component.name in request.sources
    }


def profile_of(session: Session, name: str) -> int:
    """Judge the stack by the controls of a profile; 1 if one failed."""
    from cluster_forge.checks.compliance import profiles
    from cluster_forge.cli.output import compliance_text

    profile = profiles.PROFILES[name]
    with session.services(offline=True) as services:
        checked = checking.objects(session, services)
        results = profiles.results(profile, checked, _named(session, services))
    for line in compliance_text.lines(profile, results, is_long=session.output.verbose):
        session.print(line)
    content = compliance_text.json(results)
    session.print_json("check --profile", stack=checked.stack.name, profile=name, title=profile.title, **content)
    return 1 if any(result.objects for result in results) else 0


def _named(session: Session, services: Services) -> Callable[[Manifest], bool]:
    """Whether an object is of a component that the session names; of any, if it names none."""
    names = checking.names(session, services)
    return lambda manifest: names is None or manifest.provenance.component in names
