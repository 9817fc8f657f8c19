"""The catalog: components, collections and capabilities that a description may name without defining them.

``data`` has the packaged ones, ``component_format`` the format of their files, and ``library`` reads them. ``dependencies``
finds what the components of a stack need, ``wiring`` turns each into layers of a description.
"""
