"""Credentials of this user, where other programs keep them: Docker, Podman, Helm, curl, Git, and the environment.

Nothing here is read from a workspace, and each place only when a server asked for a credential that no earlier place has.
"""
