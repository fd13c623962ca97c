"""Three routers and two hosts in network namespaces, with turnpiked in each router: what ./lab --live and --script show.

        h1 ── r1 ══════════ r3 ── h2          10.1.0.0/24 behind r1, 10.2.0.0/24 behind r3
               ╲           ╱
                ╲── r2 ───╱                   the way round, with a higher metric

        s ── m ══ w, e                        m: three multicast protocols and IGMP in one program

Everything happens in namespaces of its own (user, network, mount, process), so no right is needed and nothing is left: the
processes end with the first of them, and the networks with the processes. Inside, names are as `ip netns` has them.
"""

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

PATIENCE = 60  # seconds that anything may take to come about
ENTRANCE = ["unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
# Wires: (namespace, device, address) twice.
WIRES = [
    (("h1", "eth0", "10.1.0.2/24"), ("r1", "to-h1", "10.1.0.1/24")),
    (("h2", "eth0", "10.2.0.2/24"), ("r3", "to-h2", "10.2.0.1/24")),
    (("r1", "to-r3", "10.0.13.1/24"), ("r3", "to-r1", "10.0.13.3/24")),
    (("r1", "to-r2", "10.0.12.1/24"), ("r2", "to-r1", "10.0.12.2/24")),
    (("r2", "to-r3", "10.0.23.2/24"), ("r3", "to-r2", "10.0.23.3/24")),
]
# Static routes: destination, next hop, metric.
ROUTES = {
    "r1": [("10.2.0.0/24", "10.0.13.3", 1), ("10.2.0.0/24", "10.0.12.2", 10)],
    "r2": [("10.1.0.0/24", "10.0.12.1", 1), ("10.2.0.0/24", "10.0.23.3", 1)],
    "r3": [("10.1.0.0/24", "10.0.13.1", 1), ("10.1.0.0/24", "10.0.23.2", 10)],
}


SELF = [sys.executable, str(Path(__file__).resolve())]
PING = ["ip", "netns", "exec", "h1", *SELF, "ping", "10.2.0.2"]


class Wrong(Exception):
    """The network does not do what it should."""


def run(*words, check=True):
    done = subprocess.run(words, text=True, capture_output=True, check=False)
    if check and done.returncode != 0:
        raise Wrong(f"{' '.join(words)}: {done.stderr}{done.stdout}")
    return done


def inside(name, *words):
    return ["ip", "netns", "exec", name, *words]


def configuration(router, folder, modules):
    devices = [end[1] for wire in WIRES for end in wire if end[0] == router]
    lines = ["[router]", f'modules = "{modules}"', f'control = "{folder}/{router}.control"', "[log]", 'level = "info"']
    lines += [f"[interface.{device}]" for device in devices] + ["[protocol.static]"]
    for to, via, metric in ROUTES[router]:
        lines += ["[[protocol.static.route]]", f'to = "{to}"', f'via = "{via}"', f"metric = {metric}"]
    return "\n".join(lines) + "\n"


class Network:
    """The namespaces, wired, with a router in each of r1, r2, r3."""

    def __init__(self, build, folder):
        self.build, self.folder = Path(build), Path(folder)
        self.routers = {}
        for name in ["h1", "h2", *ROUTES]:
            run("ip", "netns", "add", name)
            run(*inside(name, "ip", "link", "set", "lo", "up"))
        for one, other in WIRES:
            self.wire(one, other)
        for host, gateway in (("h1", "10.1.0.1"), ("h2", "10.2.0.1")):
            run(*inside(host, "ip", "route", "add", "default", "via", gateway))

    @staticmethod
    def wire(one, other):
        run("ip", "link", "add", one[1], "netns", one[0], "type", "veth", "peer", "name", other[1], "netns", other[0])
        for name, device, address in (one, other):
            run(*inside(name, "ip", "address", "add", address, "dev", device))
            run(*inside(name, "ip", "link", "set", device, "up"))

    @staticmethod
    def hears(host, group, sent):
        """Whether a host that joins a group hears what s sends to one."""
        with subprocess.Popen([*inside("s"), *SELF, "utter", sent]) as mouth:
            try:
                return run(*inside(host), *SELF, "hear", group, check=False).returncode == 0
            finally:
                mouth.kill()

    def start(self):
        for name in ROUTES:
            run(*inside(name, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
            file = self.folder / f"{name}.toml"
            file.write_text(configuration(name, self.folder, self.build / "modules"), encoding="utf-8")
            with open(self.folder / f"{name}.log", "wb") as log:
                self.routers[name] = subprocess.Popen(  # pylint: disable=consider-using-with
                    inside(name, str(self.build / "apps/turnpiked"), "--config", str(file)), stdout=log, stderr=log)
        for name in ROUTES:
            self.await_that(f"{name} runs", lambda name=name: self.ask(name, "show", "status", check=False) is not None)

    def stop(self):
        for process in self.routers.values():
            process.terminate()
        for name, process in self.routers.items():
            if process.wait(PATIENCE) != 0:
                raise Wrong(f"{name} ended with {process.returncode}: {(self.folder / f'{name}.log').read_text()}")

    def ask(self, router, *words, check=True):
        done = run(str(self.build / "apps/turnpike"), "-j", "-s", f"{self.folder}/{router}.control", *words, check=check)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def await_that(self, what, there):
        end = time.monotonic() + PATIENCE
        while not there():
            for name, process in self.routers.items():
                if process.poll() is not None:
                    raise Wrong(f"{name} has ended: {(self.folder / f'{name}.log').read_text()}")
            if time.monotonic() > end:
                raise Wrong(f"waited in vain: {what}")
            time.sleep(0.01)

    def best_way(self, router, destination):
        for route in self.ask(router, "show", "route", destination):
            if route["best"] and route["destination"] == destination and route["kernel"] == "installed":
                return route["next_hops"][0]
        return None

    def await_way(self, via):
        """Until r1 and r3 both go that way, and a packet does."""
        self.await_that(f"r1 goes by {via}", lambda: f"dev to-{via}" in (self.best_way("r1", "10.2.0.0/24") or ""))
        back = "r1" if via == "r3" else via
        self.await_that(f"r3 goes by {back}", lambda: f"dev to-{back}" in (self.best_way("r3", "10.1.0.0/24") or ""))
        self.await_that("h1 reaches h2", lambda: run(*PING, check=False).returncode == 0)

    def link(self, router, device, state):
        run(*inside(router, "ip", "link", "set", device, state))


def ping(address):
    """One echo request; whether the answer came within a second. Machines without ping(8) have this."""
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        number = os.getpid() & 0xFFFF
        total = 0x0800 + number + 1
        check = ~(total + (total >> 16)) & 0xFFFF
        raw.settimeout(1)
        try:
            raw.sendto(struct.pack("!BBHHH", 8, 0, check, number, 1), (address, 0))
            while True:
                answer = raw.recv(2048)
                kind, _, _, whose, _ = struct.unpack_from("!BBHHH", answer, (answer[0] & 15) * 4)
                if kind == 0 and whose == number:
                    return True
        except OSError:
            return False


def say(text):
    sys.stdout.write(f"{text}\n")  # whole: the one who follows the monitor writes as well
    sys.stdout.flush()


def shown(network, *words):
    done = run(str(network.build / "apps/turnpike"), "-s", f"{network.folder}/r1.control", *words)
    say("".join(f"    {line}\n" for line in done.stdout.splitlines()))


def follow(network):
    """Prints what r1 tells as it happens, beside the story. Gives the process that tells, and the lines so far."""
    monitor = subprocess.Popen([str(network.build / "apps/turnpike"), "-s", f"{network.folder}/r1.control", "-j", "monitor"],
                               text=True, stdout=subprocess.PIPE)

    told = []

    def read():
        for line in monitor.stdout:
            say(f"    r1 tells: {line.rstrip()}")
            told.append(line)

    threading.Thread(target=read, daemon=True).start()
    network.await_that("r1 tells something", lambda: told)
    return monitor, told


def story(network):
    say("Three routers start: r1, r2, r3, each with its own configuration.")
    network.start()
    network.await_way("r3")
    say("h1 reaches h2, by r1 and r3. The route by r2 stands ready with a higher metric:\n")
    shown(network, "show", "route", "10.2.0.0/24")
    monitor, told = follow(network)
    say("The link between r1 and r3 is cut.")
    network.link("r1", "to-r3", "down")
    network.await_that("r1 tells it", lambda: any("media absent" in line for line in told))
    network.await_way("r2")
    say("h1 still reaches h2, now by r2:\n")
    shown(network, "explain", "10.2.0.2")
    say("The link is healed.")
    network.link("r1", "to-r3", "up")
    network.await_way("r3")
    say("The short way is in use again. A reload of the same file changes nothing:\n")
    shown(network, "reload")
    monitor.terminate()
    monitor.wait()


def multicast_story(network):
    """One more router: three multicast protocols and IGMP in one program, and hosts that join."""
    say("\nMulticast: one router more, m, with three protocols in one program, and hosts w and e behind two links.")
    for name in ("s", "m", "w", "e"):
        run("ip", "netns", "add", name)
        run(*inside(name, "ip", "link", "set", "lo", "up"))
    for number, (host, device) in enumerate((("s", "in"), ("w", "west"), ("e", "east"))):
        network.wire((host, "eth0", f"10.3.{number}.2/24"), ("m", device, f"10.3.{number}.1/24"))
    run(*inside("m", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
    with open(network.folder / "m.log", "wb") as log:
        words = inside("m", str(network.build / "examples/mgm_three_protocols"), "in", "west", "east")
        router = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=log)  # pylint: disable=consider-using-with
    told = lambda: (network.folder / "m.log").read_text()  # noqa: E731
    network.await_that("m forwards", lambda: "forwarding" in told())
    fixed = network.hears("e", "239.1.1.2", "239.1.1.2")
    say("Host e asks for the group that always goes there. Host w joins 239.1.1.1 by IGMP, hears it, and leaves.")
    joined = network.hears("w", "239.1.1.1", "239.1.1.1")
    network.await_that("upstream hears that w has left", lambda: "has none any more" in told())
    say("".join(f"    {line}\n" for line in told().splitlines()))
    router.communicate(timeout=PATIENCE)
    left = len(run(*inside("m", "cat", "/proc/net/ip_mr_vif")).stdout.splitlines()) - 1
    if not fixed or not joined or router.returncode != 0 or left:
        raise Wrong(f"multicast: {fixed} {joined} {router.returncode} {left}: {told()}")
    say("w heard its group, from s by m. The program has ended and left nothing in the kernel.")


def hear(group):
    """In a host: joins a group and waits for a datagram of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind((group, 5004))
        ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                       struct.pack("=4s4si", socket.inet_aton(group), bytes(4), socket.if_nametoindex("eth0")))
        ear.settimeout(PATIENCE)
        try:
            return bool(ear.recv(64))
        except TimeoutError:
            return False


def utter(group):
    """In a host: sends to a group until it is ended."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                         struct.pack("=4s4si", bytes(4), bytes(4), socket.if_nametoindex("eth0")))
        mouth.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 8)
        while True:
            mouth.sendto(b"hello", (group, 5004))
            time.sleep(0.02)


def shell(network):
    tools = network.folder / "bin"
    tools.mkdir()
    for name in ROUTES:
        script = tools / name
        script.write_text(f'#!/bin/sh\nexec "{network.build}/apps/turnpike" -s "{network.folder}/{name}.control" "$@"\n',
                          encoding="utf-8")
        script.chmod(0o755)
    script = tools / "h1-reaches-h2"
    script.write_text("#!/bin/sh\n" + " ".join(PING) + " && echo yes || echo no\n", encoding="utf-8")
    script.chmod(0o755)
    say("\nA shell in r1. Try: turnpike show route · r3 show interface · turnpike monitor & · ip link set to-r3 down ·\n"
        "h1-reaches-h2 · turnpike explain 10.2.0.2 · exit, which ends it all.")
    environment = os.environ | {"PATH": f"{tools}:{network.build}/apps:{os.environ['PATH']}",
                                "TURNPIKE_SOCKET": f"{network.folder}/r1.control", "PS1": "r1# "}
    subprocess.run(inside("r1", "bash", "--norc", "-i"), env=environment, check=False)


def play(build, live):
    """Inside the namespaces: the story, and with `live` a shell."""
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    folder = tempfile.mkdtemp(prefix="turnpike-lab-", dir="/run")
    network = Network(build, folder)
    story(network)
    multicast_story(network)
    if live:
        shell(network)
    network.stop()
    say("The routers have ended, and took their routes with them.")
    left = run(*inside("r1", "ip", "route", "show", "proto", "220")).stdout
    if left:
        raise Wrong(f"left behind: {left}")


def enter(build, live):
    """From outside: the same in namespaces of its own. The exit status."""
    if shutil.which("unshare") is None:
        print("the lab needs unshare, of util-linux", file=sys.stderr)
        return 1
    words = [sys.executable, str(Path(__file__).resolve()), str(build), "live" if live else "script"]
    return subprocess.run([*ENTRANCE, *words], check=False).returncode


if __name__ == "__main__":
    if sys.argv[1] == "ping":
        sys.exit(0 if ping(sys.argv[2]) else 1)
    if sys.argv[1] == "hear":
        sys.exit(0 if hear(sys.argv[2]) else 1)
    if sys.argv[1] == "utter":
        utter(sys.argv[2])
    try:
        play(sys.argv[1], sys.argv[2] == "live")
    except Wrong as wrong:
        sys.exit(f"FAILED: {wrong}")
