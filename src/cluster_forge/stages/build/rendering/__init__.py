"""From sources to objects: charts, kustomizations and manifests rendered until no component sees other APIs."""
