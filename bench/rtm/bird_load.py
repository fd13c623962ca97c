#!/usr/bin/python3
"""How fast BIRD 2 loads a table into its own: the peer of the benchmark `add`.

Usage: bird_load.py PREFIX_FILE [RUNS]     (PREFIX_FILE: one prefix a line, as print_table writes it)

BIRD starts in a network namespace of its own with the routes as static ones; then the static protocol is disabled, and
the time is taken from enabling it again until the table holds all routes. So neither reading the configuration nor the
kernel is in the figure: only looking up, ranking and storing a route that is in memory already, which is what `add`
does. `start_seconds` is the time from the program's start, configuration included; `busy_ns` what a route took of the
processor. Prints one line of JSON: medians.
"""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def configuration(prefixes):
    routes = "\n".join(f"  route {prefix} blackhole;" for prefix in prefixes)
    return f"""
router id 192.0.2.1;
ipv4 table loaded;
protocol static internet {{
  ipv4 {{ table loaded; }};
{routes}
}}
"""


class Bird:
    """A running BIRD and its control socket."""

    def __init__(self, folder, prefixes):
        self.path = str(Path(folder, "bird.ctl"))
        config = Path(folder, "bird.conf")
        config.write_text(configuration(prefixes), encoding="ascii")
        self.process = subprocess.Popen(["unshare", "-Urn", "bird", "-f", "-c", config, "-s", self.path],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.control = None

    def connect(self):
        while self.control is None:
            if self.process.poll() is not None:
                sys.exit("bird ended while starting")
            try:
                self.control = socket.socket(socket.AF_UNIX)
                self.control.connect(self.path)
            except OSError:
                self.control = None
                time.sleep(0.1)
        self.read()

    def read(self):
        answer = b""
        while not (answer.endswith(b"\n") and answer.splitlines()[-1][4:5] == b" "):
            answer += self.control.recv(65536)
        return answer.decode()

    def ask(self, command):
        self.control.sendall(command.encode() + b"\n")
        return self.read()

    def count(self):
        """What the protocol has imported: unlike a count of the table this costs nothing."""
        found = re.search(r"Routes: +(\d+) imported", self.ask("show protocols all internet"))
        return int(found[1]) if found else 0

    def busy_seconds(self):
        """What the process has used of a processor."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def wait_for(bird, count):
    while bird.count() != count:
        time.sleep(0.005)


def one_run(bird, total):
    bird.ask("disable internet")
    wait_for(bird, 0)
    begin, busy = time.monotonic(), bird.busy_seconds()
    bird.ask("enable internet")
    wait_for(bird, total)
    return time.monotonic() - begin, bird.busy_seconds() - busy


def main():
    prefixes = Path(sys.argv[1]).read_text(encoding="ascii").split()
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        begin = time.monotonic()
        bird = Bird(folder, prefixes)
        try:
            bird.connect()
            wait_for(bird, len(prefixes))
            start_seconds = time.monotonic() - begin
            times = [one_run(bird, len(prefixes)) for _ in range(runs)]
        finally:
            bird.stop()
    seconds, busy = (statistics.median(column) for column in zip(*times))
    print(json.dumps({"peer": "bird2", "routes": len(prefixes), "seconds": round(seconds, 3),
                      "per_second": round(len(prefixes) / seconds), "busy_ns": round(busy * 1e9 / len(prefixes)),
                      "start_seconds": round(start_seconds, 2)}))


if __name__ == "__main__":
    sys.exit(main() if len(sys.argv) > 1 else __doc__)
