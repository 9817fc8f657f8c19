"""Files of small catalogs."""

from __future__ import annotations


def component(repository: str, chart: str, version: str) -> str:
    """The component ``hello``: one version of a chart."""
    return f"""\
apiVersion: cluster-forge/v1
kind: Component
name: hello
title: Hello
description: Says hello.
category: core
homepage: https://example.com
license: Apache-2.0
podSecurity: baseline
namespace: hello
helm: {{repository: {repository}, chart: {chart}}}
versions:
- {{version: {version}, kubernetes: 1.25+}}
"""
