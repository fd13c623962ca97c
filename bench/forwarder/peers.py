#!/usr/bin/python3
"""How fast BIRD 2 and FRRouting's zebra bring a table into the kernel and out again: the peers of `forwarder_kernel`.

Usage: peers.py [ROUTES…]      (of 1000, 10000, 100000 and 1036829; none: all of them. As root)

For each size, one after the other in the same run: `forwarder_kernel`'s load and withdrawal (with the kernel's ceiling
beside them), then BIRD, then zebra, each in a network namespace of its own, with a link, 16 gateways on it and the
prefixes of build/release/bench/print_table. Times are on the wall, from the first word until the kernel has all of the
routes, or none. Prints a line of JSON for each size; keep them for plot_growth.py.

BIRD has read the routes as static ones before the clock runs, so its parser is not in the figure: their protocol is
enabled (load), and disabled again (withdrawal), as with us its table's work is in it. zebra is told by a client of its
own protocol (ZAPI), as its daemons do, which writes as fast as it is read; it is withdrawn by that client's leaving.

The kernel's routes are counted where that costs nothing while they are written: by /proc/net/fib_triestat, which
walks the table, asked at intervals of a hundredth of the time that has passed.
"""

import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build/release/bench"
ZEBRA = "/usr/lib/frr/zebra"
GATEWAYS = 16
PATIENCE = 600


class Place:
    """A network namespace with a link to 10.0.0.0/24."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.ip("netns", "add", self.name)
        self.inside("link", "set", "lo", "up")
        self.inside("link", "add", "east", "type", "veth", "peer", "name", "far")
        self.inside("address", "add", "10.0.0.1/24", "dev", "east")
        for link in ("east", "far"):
            self.inside("link", "set", link, "up")
        time.sleep(1)
        self.before = self.routes()
        return self

    def __exit__(self, *_):
        self.ip("netns", "del", self.name)

    @staticmethod
    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    def inside(self, *words):
        self.ip("-n", self.name, *words)

    def spawn(self, *words):
        return subprocess.Popen(["ip", "netns", "exec", self.name, *map(str, words)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def routes(self):
        """How many prefixes the main table has."""
        told = subprocess.run(["ip", "netns", "exec", self.name, "cat", "/proc/net/fib_triestat"], check=True,
                              capture_output=True, text=True).stdout
        main = told.split("Main:")[-1]
        return int(re.search(r"Prefixes:\s+(\d+)", main)[1])

    def await_routes(self, count, begin):
        while self.routes() - self.before != count:
            passed = time.monotonic() - begin
            if passed > PATIENCE:
                sys.exit(f"peers: {self.name} has {self.routes() - self.before} routes of {count} after {passed:.0f} s")
            time.sleep(max(0.0005, passed / 100))
        return time.monotonic() - begin


@contextmanager
def ended(process):
    """Whatever happens, it is ended: it alone."""
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def await_there(what, ask):
    for _ in range(PATIENCE * 20):
        found = ask()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(f"peers: in vain: {what}")


# --- BIRD ------------------------------------------------------------------------------------------------------------

class Control:
    """The control socket of a running BIRD."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))
        self.read()

    def read(self):
        answer = b""
        while not (answer.endswith(b"\n") and answer.splitlines()[-1][4:5] == b" "):
            answer += self.socket.recv(65536)
        return answer.decode()

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.read()


def bird(prefixes, folder):
    routes = "\n".join(f"  route {prefix} via 10.0.0.{2 + i % GATEWAYS};" for i, prefix in enumerate(prefixes))
    config = folder / "bird.conf"
    config.write_text(f"""router id 192.0.2.1;
protocol device {{}}
protocol direct {{ ipv4; }}
protocol kernel writer {{ scan time 3600; ipv4 {{ export where proto = "internet"; import none; }}; }}
protocol static internet {{
  disabled;
  ipv4;
{routes}
}}
""", encoding="ascii")
    path = folder / "bird.ctl"
    with Place("tp-bench-bird") as place, ended(place.spawn("bird", "-f", "-c", config, "-s", path)):
        await_there("BIRD's control socket", path.exists)
        control = await_there("BIRD", lambda: connected(path))
        await_there("its first look at the kernel", lambda: " up " in control.ask("show protocols writer"))
        time.sleep(2)
        begin = time.monotonic()
        control.ask("enable internet")
        load = place.await_routes(len(prefixes), begin)
        begin = time.monotonic()
        control.ask("disable internet")
        return load, place.await_routes(0, begin)


def connected(path):
    try:
        return Control(path)
    except OSError:
        return None


# --- zebra -----------------------------------------------------------------------------------------------------------

# What a client says, version 6 (FRRouting 8): a header, and numbers in network order.
HELLO, ROUTE_ADD = 18, 8
STATIC = 3
HAS_NEXT_HOPS, HAS_METRIC = 0x01, 0x04
UNICAST, IPV4_AND_LINK = 1, 3


def said(command, body):
    return struct.pack("!HBBIH", 10 + len(body), 0xfe, 6, 0, command) + body


def route(prefix, number, link):
    address, length = prefix.split("/")
    octets = socket.inet_aton(address)[:(int(length) + 7) // 8]
    gateway = bytes([10, 0, 0, 2 + number % GATEWAYS])
    return said(ROUTE_ADD, struct.pack("!BHIIBBB", STATIC, 0, 0, HAS_NEXT_HOPS, UNICAST, socket.AF_INET, int(length)) +
                octets + struct.pack("!HIBB", 1, 0, IPV4_AND_LINK, 0) + gateway + struct.pack("!I", link))


def discard_answers(client):
    """zebra tells its clients things, and waits for who does not listen."""
    client.setblocking(False)
    try:
        while client.recv(1 << 20):
            pass
    except BlockingIOError:
        pass
    client.setblocking(True)


def routes_of(place, prefixes):
    """What a client says that wants those routes, by gateways on the place's link."""
    link = int(subprocess.run(["ip", "-n", place.name, "-o", "link", "show", "east"], check=True,
                              capture_output=True, text=True).stdout.split(":")[0])
    return b"".join(route(prefix, number, link) for number, prefix in enumerate(prefixes))


@contextmanager
def told(door, words):
    """A client of zebra's that has said those words, and is there as long as this is; gives when it began."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(door))
        client.sendall(said(HELLO, struct.pack("!BHIBB", STATIC, 0, 0, 0, 0)))
        begin = time.monotonic()
        for at in range(0, len(words), 1 << 20):
            client.sendall(words[at:at + (1 << 20)])
            discard_answers(client)
        yield begin


def zebra(prefixes, folder):
    (folder / "frr.conf").write_text("", encoding="ascii")
    door = folder / "zserv"
    with Place("tp-bench-zebra") as place, ended(place.spawn(
            ZEBRA, "-u", "root", "-g", "frrvty", "-f", folder / "frr.conf", "-P", "0", "-z", door, "-i", folder / "pid",
            "--vty_socket", folder)):
        await_there("zebra's socket", door.exists)
        time.sleep(1)
        with told(door, routes_of(place, prefixes)) as begin:
            load = place.await_routes(len(prefixes), begin)
            begin = time.monotonic()
        return load, place.await_routes(0, begin)


# --- ours, and the whole ---------------------------------------------------------------------------------------------

def ours(size):
    """What `forwarder_kernel` says of that size: seconds of its own and of the kernel alone."""
    told = subprocess.run([BUILT / "bench_forwarder_kernel", f"--benchmark_filter=^(load|withdraw)/{size}/",
                           "--benchmark_format=json"], check=True, capture_output=True, text=True).stdout
    rows = {each["name"].split("/")[0]: each for each in json.loads(told)["benchmarks"]}
    return ([rows[name]["real_time"] / 1e3 for name in ("load", "withdraw")],
            [rows[name]["ceiling_s"] for name in ("load", "withdraw")])


def table():
    """The prefixes of a table like the Internet's, but for those of the link."""
    everything = subprocess.run([BUILT / "print_table", "4"], check=True, capture_output=True, text=True).stdout.split()
    return [prefix for prefix in everything if not prefix.startswith("10.0.0.")]


def main():
    sizes = [int(word) for word in sys.argv[1:]] or [1000, 10_000, 100_000, 1_036_829]
    everything = table()
    for size in sizes:
        prefixes = everything[::max(1, len(everything) // size)][:size]
        turnpike, kernel = ours(size)
        row = {"routes": len(prefixes), "kernel": kernel, "turnpike": turnpike}
        for peer in (bird, zebra):
            with tempfile.TemporaryDirectory() as folder:
                row[peer.__name__] = [round(seconds, 4) for seconds in peer(prefixes, Path(folder))]
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
