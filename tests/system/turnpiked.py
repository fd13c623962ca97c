"""turnpiked in a host, and turnpike to ask it: for the tests of both."""

import json
import select
import socket
import threading
import time
from pathlib import Path

from ground import SOON

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/dev"
DAEMON = BUILD / "apps/turnpiked"
COMMAND = BUILD / "apps/turnpike"


def text(folder, *sections):
    head = f'[router]\nmodules = "{BUILD}/modules"\ncontrol = "{folder}/control"\nstate = "{folder}"\n'
    return head + "\n".join(sections)


STATIC = """[interface.eth0]
[interface.eth1]
[protocol.static]
[[protocol.static.route]]
to = "10.9.0.0/16"
via = "10.0.0.2"
[[protocol.static.route]]
to = "10.8.0.0/16"
type = "blackhole"
[[protocol.static.route]]
to = "2001:db8:9::/48"
via = "fe80::2"
interface = "eth0"
"""


class Router:
    """turnpiked in a host, and turnpike to ask it."""

    def __init__(self, host, folder, *sections, env=None):
        self.host, self.folder, self.env = host, folder, env
        self.file = folder / "turnpike.toml"
        self.write(*sections)
        self.start()

    def start(self):
        self.process = self.host.spawn(DAEMON, "--config", self.file, env=self.env)
        self.process.await_output("turnpiked: running")

    def write(self, *sections):
        self.file.write_text(text(self.folder, *sections), encoding="utf-8")

    def attempt(self, *words):
        return self.host.attempt(COMMAND, "-s", self.folder / "control", *words)

    def ask(self, *words):
        done = self.attempt("-j", *words)
        assert done.status == 0, done.out + done.err
        return json.loads(done.out)

    def routes(self, prefix=""):
        """The best route of each destination."""
        shown = self.ask("show", "route", *([prefix] if prefix else []))
        return {each["destination"]: each for each in shown if each["best"]}

    def await_answer(self, what, there):
        """Asks until it is so: what the router says has no event of the kernel's to wait for."""
        end = time.monotonic() + SOON
        while not there():
            assert time.monotonic() < end, f"waited in vain: {what}"

    def await_static(self):
        """Until the kernel has all that STATIC configures."""
        for destination in ("10.9.0.0/16", "10.8.0.0/16", "2001:db8:9::/48"):
            self.await_kernel(destination, "installed")

    def await_kernel(self, destination, state):
        self.await_answer(f"{destination} is {state}",
                          lambda: self.routes(destination).get(destination, {}).get("kernel") == state)


class Stream:
    """Numbered packets from one host to an address of another, a thousand a second, from here on: what comes, and what does
    not, is counted."""

    PORT = 4711

    def __init__(self, source, destination, address):
        self.sent, self.arrived = 0, set()
        self._end = None  # of the time for what is under way
        self._over = threading.Event()
        self._in = destination.socket(kind=socket.SOCK_DGRAM)
        try:  # SO_RCVBUFFORCE is for root alone, the second is cut to what net.core.rmem_max allows
            self._in.setsockopt(socket.SOL_SOCKET, 33, 32 << 20)
        except PermissionError:
            self._in.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        self._in.bind((address, self.PORT))
        self._out = source.socket(kind=socket.SOCK_DGRAM)
        self._out.connect((address, self.PORT))
        self._threads = [threading.Thread(target=work) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        while not self._over.wait(0.001):
            self._out.send(self.sent.to_bytes(8, "big"))
            self.sent += 1

    def _receive(self):
        while not self._is_over():
            if select.select([self._in], [], [], 0.1)[0]:
                self.arrived.add(int.from_bytes(self._in.recv(64), "big"))

    def _is_over(self):
        """The sender has ended and all are here, or nobody waits any longer for those that are under way."""
        return self._end and (len(self.arrived) == self.sent or time.monotonic() > self._end)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        self._threads[0].join()
        self._end = time.monotonic() + SOON / 4
        self._threads[1].join()
        self._in.close()
        self._out.close()

    def lost(self):
        """The numbers of those that did not come; when it is over."""
        return sorted(set(range(self.sent)) - self.arrived)
