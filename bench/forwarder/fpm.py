#!/usr/bin/python3
"""How fast a table comes from zebra by FPM into the kernel of a router of ours, and out again.

Usage: fpm.py [ROUTES…]      (of 1000, 10000, 100000 and 1036829; none: 10000 and all of them. As root)

zebra runs in a network namespace of its own, told of the prefixes by a client of its own protocol (as in peers.py, from
which the rest is), with its module dplane_fpm_nl. Its connection leads over a link to a second namespace, in which
build/release/examples/router takes what it sends and forwards by it. Times are on the wall, from the client's first
word until a kernel has all of the routes, or none: zebra's own, which it writes as well, and ours. The router prints
each change of its table as well, into a file.

Prints a line of JSON for each size. What our end takes by itself is `forwarder_fpm`.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from peers import BUILT, PATIENCE, ZEBRA, Place, await_there, ended, routes_of, table, told

ROUTER = BUILT.parent / "examples/router"


class Beside(Place):
    """A namespace at the other end of a place's link, which is 10.0.0.100."""

    def __init__(self, name, place):
        super().__init__(name)
        self.place = place

    def __enter__(self):
        self.ip("netns", "add", self.name)
        self.place.inside("link", "set", "far", "netns", self.name)
        self.inside("address", "add", "10.0.0.100/24", "dev", "far")
        for link in ("lo", "far"):
            self.inside("link", "set", link, "up")
        time.sleep(1)
        self.before = self.routes()
        return self


def await_both(places, count, begin):
    """When each of them has so many routes."""
    times = {}
    while len(times) < len(places):
        passed = time.monotonic() - begin
        if passed > PATIENCE:
            sys.exit(f"fpm: in vain, for {passed:.0f} s: {count} routes")
        for each in places:
            if each.name not in times and each.routes() - each.before == count:
                times[each.name] = time.monotonic() - begin
        time.sleep(max(0.0005, passed / 100))
    return [times[each.name] for each in places]


def measure(prefixes, folder):
    (folder / "frr.conf").write_text("fpm address 10.0.0.100 port 2620\n", encoding="ascii")
    door, log = folder / "zserv", folder / "told"
    with Place("tp-bench-zebra") as place, Beside("tp-bench-router", place) as beside, log.open("wb") as out, ended(
            subprocess.Popen(["ip", "netns", "exec", beside.name, ROUTER], stdin=subprocess.PIPE, stdout=out,
                             stderr=subprocess.STDOUT)) as router:
        router.stdin.write(b"fpm 2620 gateways-only\n")
        router.stdin.flush()
        await_there("our server", lambda: b"listening" in log.read_bytes())
        with ended(place.spawn(
                ZEBRA, "-u", "root", "-g", "frrvty", "-f", folder / "frr.conf", "-P", "0", "-z", door, "-i",
                folder / "pid", "--vty_socket", folder, "-M", "dplane_fpm_nl")):
            await_there("zebra's socket", door.exists)
            await_there("its connection", lambda: b"has connected" in log.read_bytes())
            with told(door, routes_of(place, prefixes)) as begin:
                load = await_both((place, beside), len(prefixes), begin)
                begin = time.monotonic()
            withdrawal = await_both((place, beside), 0, begin)
    return {"routes": len(prefixes), "zebra": [round(load[0], 3), round(withdrawal[0], 3)],
            "router": [round(load[1], 3), round(withdrawal[1], 3)]}


def main():
    everything = table()
    for size in [int(word) for word in sys.argv[1:]] or [10_000, 1_036_829]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(everything[::max(1, len(everything) // size)][:size], Path(folder))), flush=True)


if __name__ == "__main__":
    main()
