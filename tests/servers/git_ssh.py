"""Git repositories over SSH: OpenSSH's ``sshd`` for one connection at a time, as this user, with Git's commands only.

Keys, configuration and log are in a folder of the test; the system's SSH service is neither needed nor touched.
"""

from __future__ import annotations

import os
import pwd
import random
import shlex
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
MISSING = "sshd is not installed"
FOR_ROOT = Path("/run/sshd")
"""An empty folder that Debian's ``sshd`` wants as root; the system's service makes it as it starts."""
SERVER = """\
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
AuthenticationMethods publickey
DisableForwarding yes
PermitUserRC no
ForceCommand {git} shell -c "$SSH_ORIGINAL_COMMAND"
SetEnv GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=uploadpack.allowFilter GIT_CONFIG_VALUE_0=true
"""
CLIENT = """\
Host git.example.com
  HostName 127.0.0.1
  Port {port}
Host *
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile none
"""


@dataclass(kw_only=True)
class SshServer:
    """A running server. ``faults`` is the part of connections that are closed at once, by a seed.

    ``folder`` has its keys, and the key (``user``), ``known_hosts`` and configuration of a client whom it knows.
    """

    folder: Path
    port: int
    faults: float = 0.0
    seed: random.Random = field(default_factory=lambda: random.Random(20))
    connections: int = 0
    sessions: set[subprocess.Popen[bytes]] = field(default_factory=set)

    def address(self, repository: Path) -> str:
        """The address of a repository as a description has it."""
        return f"git+ssh://{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}{repository}"

    @property
    def client(self) -> str:
        """The ``GIT_SSH_COMMAND`` of the client; OpenSSH looks for its files in the user's home, whatever HOME says."""
        return f"ssh -F {shlex.quote(str(self.folder / 'client'))}"

    def knows(self, host_key: Path) -> None:
        """Let the client expect this host key."""
        key = host_key.with_suffix(".pub").read_text()
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {key}")


def new_key(path: Path, passphrase: str = "") -> Path:
    """A new key, with its public part beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-C", "", "-N", passphrase, "-f", path], check=True)
    return path


@contextmanager
def serving(folder: Path, *, takes_protocol: bool = True) -> Iterator[SshServer]:
    """Serve the repositories of this machine to the key ``user``; ``takes_protocol``: with Git's protocol 2, as public servers
    do. ``sshd`` does not by itself."""
    folder.mkdir()
    new_key(folder / "host")
    new_key(folder / "user")
    if os.geteuid() == 0:
        FOR_ROOT.mkdir(mode=0o755, exist_ok=True)
    accepted = "AcceptEnv GIT_PROTOCOL\n" if takes_protocol else ""
    (folder / "sshd_config").write_text(SERVER.format(folder=folder, git=shutil.which("git")) + accepted)
    with _Listener(("127.0.0.1", 0), _Session) as listener:
        server = listener.ssh = SshServer(folder=folder, port=listener.server_address[1])
        (folder / "client").write_text(CLIENT.format(folder=folder, port=server.port))
        server.knows(folder / "host")
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()
            for session in list(server.sessions):
                session.kill()


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    ssh: SshServer


class _Session(socketserver.BaseRequestHandler):
    server: _Listener

    def handle(self) -> None:
        ssh = self.server.ssh
        ssh.connections += 1
        if ssh.seed.random() < ssh.faults:
            return
        assert PROGRAM
        command = [PROGRAM, "-i", "-e", "-f", str(ssh.folder / "sshd_config")]
        with (ssh.folder / "sshd.log").open("ab") as log:
            session = subprocess.Popen(command, stdin=self.request, stdout=self.request, stderr=log)
        ssh.sessions.add(session)
        session.wait()
        ssh.sessions.discard(session)
