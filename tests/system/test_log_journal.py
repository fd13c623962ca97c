"""An entry reaches the journal at its real address, with its fields: a journal of our own in a mount namespace."""

import subprocess
import sys
from pathlib import Path

from ground import entrance_for

ROOT = Path(__file__).resolve().parents[2]

# Run inside the namespace: what /run is, only this process and its children see.
JOURNAL = """
import socket, subprocess, sys
subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
subprocess.run(["mkdir", "-p", "/run/systemd/journal"], check=True)
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind("/run/systemd/journal/socket")
journal.settimeout(10)
subprocess.run([sys.argv[1], "journal"], check=True, stdout=subprocess.DEVNULL)
sys.stdout.buffer.write(journal.recv(65536))
"""


def test_an_entry_arrives_with_its_fields():
    done = subprocess.run([*entrance_for(False), sys.executable, "-c", JOURNAL, ROOT / "build/dev/examples/log"],
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    text = b"a name\nwith a newline"
    assert done.stdout == (b"PRIORITY=4\nMESSAGE=receive queue overran\nSYSLOG_IDENTIFIER=turnpike-example\n"
                           b"TURNPIKE_ROOM=example\nTURNPIKE_SOCKET=routes\nTURNPIKE_LOST=12\n"
                           b"TURNPIKE_PEER\n" + len(text).to_bytes(8, "little") + text + b"\n")
