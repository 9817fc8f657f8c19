"""Argo CD: the Applications, and the component that brings Argo CD itself."""
