"""Variables of a description: ``${name}`` and ``${{ expression }}`` in its texts (ADR 0055).

``options`` and ``given`` are what the command line adds, ``resolution`` gives every variable its value, ``expansion`` puts
values into a tree, ``references`` finds what a text refers to, ``expressions`` computes it, ``places`` says where in a file that is.
"""
