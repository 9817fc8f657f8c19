"""Argo CD: the Applications, and the component that installs Argo CD itself."""
