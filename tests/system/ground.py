"""The test ground for pytest: small networks made of network namespaces, for whole programs on the real kernel.

    def test_two_hosts_ping(ground):
        ground.need("veth")
        left, right = ground.host("left"), ground.host("right")
        ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
        assert left.ping("10.0.0.2")

The model is that of tests/ground (read its README.md), with the same words; how it works differs where Python does:

* A ground is one process, keeper.py: the first process of a fresh user, network, mount and process namespace (`unshare`
  of util-linux). A host is a further network namespace, which only a descriptor of the keeper holds.
* pytest itself stays outside. The keeper starts commands in a host, and opens sockets and tun devices there and hands
  their descriptors over: a socket belongs to the network it was opened in, whoever uses it. So `host.socket(…)` is an
  ordinary Python socket, and captures, pings and clients run in the test's own process.
* The keeper ends when the other end of its socket closes, which the kernel does however pytest ends. As it is the first
  process of its process namespace, everything that it has started ends with it, daemons included; and with the last
  descriptor the networks go. There are no names to be left in /run/netns.

Nothing here waits by sleeping: every wait is a poll with a deadline.
`python3 tests/system/ground.py` prints which parts of the kernel tests can count on here.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from dataclasses import dataclass
from pathlib import Path

PARTS = Path(__file__).resolve().parents[1] / "ground" / "parts.txt"
KEEPER = Path(__file__).with_name("keeper.py")
SOON = 180.0  # seconds that a wait may last unless told otherwise; a test that passes never waits for it
USER_NAMESPACE = ("--user", "--map-root-user")
ENTRANCE = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
MEND = "mend with: tools/setup check"


class GroundError(Exception):
    """The ground itself failed: a command, a system call, a deadline."""


class Missing(unittest.SkipTest):
    """This machine cannot do it, and the set-up could not change that: pytest skips the test for this reason."""


@dataclass
class Done:
    """How a command ended: `status` is its exit code, or 128 + the signal that killed it, as the shell has it."""
    status: int
    out: str
    err: str


@dataclass
class Frame:
    """A frame as it passed a link, from the Ethernet header on, its VLAN tag included."""
    data: bytes
    outgoing: bool
    time: float

    @property
    def packet(self):
        """The frame as scapy sees it."""
        from scapy.layers.inet import IP  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
        from scapy.layers.l2 import Ether  # pylint: disable=import-outside-toplevel
        return Ether(self.data)


class Deadline:
    def __init__(self, within):
        self.end = time.monotonic() + within

    def readable(self, descriptor):
        """Waits until `descriptor` can be read or has ended; False when the time is over."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(max(0.0, self.end - time.monotonic()) * 1000))


# ----------------------------------------------------------------------------------------------------------------------
# What a test sees


class Ground:
    """A small network of its own. `privileged`: with real root, for what the kernel grants nobody else; else root in a
    user namespace, with rights over this ground alone (or real root, where user namespaces are forbidden)."""

    def __init__(self, privileged=False):
        entrance = entrance_for(privileged)
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._keeper = subprocess.Popen(
                [*entrance, sys.executable, "-IS", KEEPER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
        self._hosts = {}
        self._spawned = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends everything that runs here, and waits until it is gone."""
        self._socket.close()
        self._keeper.wait(SOON)
        for process in self._spawned:
            process.close()

    def keep(self, process):
        """Lets go of that process when the ground is closed."""
        self._spawned.append(process)
        return process

    def need(self, *parts):
        """Skips the running test with the reason when this machine lacks one of these parts (tests/ground/parts.txt)."""
        lacks = [lack for lack in (lack_of(part, Host(self, "scratch", 0)) for part in parts) if lack]
        if lacks:
            raise Missing("; ".join(lacks))

    def host(self, name):
        """A new host, or the one that already has this name."""
        if name not in self._hosts:
            self._hosts[name] = Host(self, name, len(self._hosts) + 1)
        return self._hosts[name]

    def wire(self, one, other):
        """A veth pair between two ends, each (host, link, address…); both are up, running, and have their addresses."""
        identities = [end[0].next_identity() for end in (one, other)]
        one[0].ip(f"link add {one[1]} {identities[0]} type veth"
                  f" peer name {other[1]} {identities[1]} netns {other[0].path}")
        for host, link, *addresses in (one, other):
            host.ip(f"link set {link} up", *(f"addr add {address} dev {link}" for address in addresses))
        for host, link, *_ in (one, other):
            host.await_running(link)

    def bridge(self, name, *ends):
        """A switch: a host called `name` with the bridge br0, and a wire from its port p1, p2, … to each end."""
        middle = self.host(name)
        middle.ip(f"link add br0 {middle.next_identity()} type bridge stp_state 0", "link set br0 up")
        for number, end in enumerate(ends, 1):
            self.wire((middle, f"p{number}"), end)
            middle.ip(f"link set p{number} master br0")
        if ends:
            middle.await_running("br0")
        return middle

    def call(self, request, descriptors=()):
        """Asks the keeper; gives its answer and the descriptors that came with it."""
        try:
            socket.send_fds(self._socket, [json.dumps(request).encode()], list(descriptors))
            answer, got, _, _ = socket.recv_fds(self._socket, 65536, 4)
        except OSError as error:
            raise GroundError(f"the ground is gone: {error}") from error
        if not answer:
            raise GroundError(f"the keeper of the ground ended with {self._keeper.wait(SOON)}; what it said stands above")
        answer = json.loads(answer)
        if "error" in answer:
            raise GroundError(f"{request['do']}: {answer['error']}")
        return answer, got


class Host:
    """One network namespace: a machine as far as the network goes, with the file system of the test. Fresh: loopback up, no
    forwarding, no reverse-path filter, no router advertisements, no duplicate address detection, so that an IPv6 address
    is usable at once (a test of that detection turns it on again by `sysctl`)."""

    def __init__(self, ground, name, number):
        self.name = name
        self._ground = ground
        self._number = number
        self._links = 0
        answer, _ = ground.call({"do": "host"})
        self._id = answer["host"]
        self.path = answer["path"]  # stands for this namespace, for `ip link … netns PATH`
        for scope in ("all", "default"):
            # IPv4's settings are copied from the namespace that the machine began with: undo what matters.
            for key, value in (("ipv4/conf/{}/forwarding", 0), ("ipv4/conf/{}/rp_filter", 0), ("ipv6/conf/{}/accept_dad", 0),
                               ("ipv6/conf/{}/accept_ra", 0), ("ipv6/conf/{}/router_solicitations", 0)):
                self.sysctl("net/" + key.format(scope), value)
        self.ip("link set lo up")

    def _call(self, request, descriptors=()):
        return self._ground.call({"host": self._id, **request}, descriptors)

    def next_identity(self):
        """What to tell iproute2 about the next link of this host, so that no two links of a ground are alike."""
        self._links += 1
        index = self._number * 1000 + self._links
        return f"index {index} address 02:00:00:00:{self._number & 255:02x}:{self._links & 255:02x}"

    # Commands

    def attempt(self, *command, within=SOON, text="", env=None):
        """Runs a command to its end, `text` being its standard input. One that cannot be started ends with 127."""
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(text.encode())
            given.seek(0)
            with Process(self, command, (given, out, err), env) as process:
                try:
                    status = process.await_end(within)
                except GroundError as error:
                    raise GroundError(f"{error}; wrote: {content_of(out)}{content_of(err)}") from None
            return Done(status, content_of(out), content_of(err))

    def run(self, *command, **options):
        """The same, for a command that must succeed: gives its standard output."""
        done = self.attempt(*command, **options)
        if done.status != 0:
            raise GroundError(f"{' '.join(map(str, command))}: ended with {done.status}: {done.err}{done.out}")
        return done.out

    def spawn(self, *command, env=None, talk=False):
        """A process that stays beside the test until it is killed, or the ground ends; `talk`: with an input to write to."""
        return self._ground.keep(Process(self, command, None, env, talk))

    def ip(self, *lines):
        """Lines for iproute2, without the leading `ip`, all in one process; the first that fails ends the batch."""
        batch = "".join(line + "\n" for line in lines)
        done = self.attempt("ip", "-batch", "-", text=batch)
        if done.status == 127:
            raise GroundError(f"ip is not installed; {MEND}")
        if done.status != 0:
            raise GroundError(f"{self.name}: ip: {done.err}in the batch:\n{batch}")

    def sysctl(self, path, value):
        """Writes /proc/sys/<path>."""
        self._call({"do": "sysctl", "path": path, "value": str(value)})

    def forward(self):
        """Lets it forward IPv4 and IPv6."""
        self.sysctl("net/ipv4/ip_forward", 1)
        self.sysctl("net/ipv6/conf/all/forwarding", 1)

    # Sockets and packets

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
        """An ordinary socket that lives in this host."""
        _, got = self._call({"do": "socket", "family": family, "kind": kind, "protocol": protocol})
        return socket.socket(family, kind, protocol, fileno=got[0])

    def ping(self, address, within=SOON):
        """Sends one echo request and waits for its answer. `address` is numeric, with %link where it is link-local."""
        deadline = Deadline(within)
        family, _, _, _, place = self._numeric(address)
        v6 = family == socket.AF_INET6
        header = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0x5450, 1)
        if not v6:  # the kernel puts ICMPv6's checksum
            header = struct.pack("!BBHHH", 8, 0, internet_checksum(header), 0x5450, 1)
        protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
        with self.socket(family, socket.SOCK_RAW, protocol) as raw:
            try:
                raw.connect(place)
                raw.send(header)
                while deadline.readable(raw):
                    packet = raw.recv(2048)
                    answer = packet if v6 else packet[(packet[0] & 15) * 4:]
                    if answer[0] == (129 if v6 else 0) and answer[4] == 0x54:
                        return True
            except OSError as error:
                if error.errno not in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED, errno.ENETDOWN):
                    raise
        return False

    def _numeric(self, address):
        host, _, link = address.partition("%")
        family, kind, protocol, name, place = socket.getaddrinfo(host, None, flags=socket.AI_NUMERICHOST)[0]
        if link:
            place = (*place[:3], self._index(link))
        return family, kind, protocol, name, place

    def _index(self, link):
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
            try:
                return struct.unpack("16si20x", fcntl.ioctl(some, 0x8933, struct.pack("16s24x", link.encode())))[1]  # SIOCGIFINDEX
            except OSError as error:
                raise GroundError(f"{self.name}: {link}: {error}") from error

    def capture(self, link):
        """Everything that passes a link from now on."""
        self._index(link)
        return Capture(self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0), link)

    def inject(self, link, frame):
        """Puts a frame (bytes, or a scapy packet) onto a link; what is injected from one host arrives in this order."""
        self._index(link)
        with self.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as raw, one_processor():
            raw.sendto(bytes(frame), (link, 0))

    def tun(self, link):
        """A tun device (IP packets) whose other end is the test; up on return. Needs the part "tun"."""
        return self._tunnel(link, 0x1001)  # IFF_TUN | IFF_NO_PI

    def tap(self, link):
        """A tap device (Ethernet frames) whose other end is the test; up on return. Needs the part "tap"."""
        return self._tunnel(link, 0x1002)  # IFF_TAP | IFF_NO_PI

    def _tunnel(self, link, flags):
        _, got = self._call({"do": "tunnel", "link": link, "flags": flags})
        tunnel = Tunnel(got[0])
        self.ip(f"link set {link} up")
        self.await_running(link)
        return tunnel

    # Waiting

    def await_that(self, what, there, within=SOON):
        """Waits until `there()` says yes, asking again whenever rtnetlink tells of a change to links, addresses, routes,
        rules or neighbours of this host: so it is for conditions that such a change brings about."""
        deadline = Deadline(within)
        with self.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0) as changes:
            changes.bind((0, 0x5d5))  # links, neighbours, addresses, routes, IPv4 rules; before the first question
            while not there():
                if not deadline.readable(changes):
                    raise GroundError(f"{self.name}: waited in vain: {what}")
                drain(changes)

    def await_running(self, link, within=SOON):
        """The link is up and has its carrier."""
        self.await_that(f"{link} runs", lambda: self._is_running(link), within)

    def await_address(self, link, address, within=SOON):
        """The link has the address, past duplicate address detection."""
        question = ("ip", "-o", "addr", "show", "dev", link, "to", address, "-tentative")
        self.await_that(f"{link} has {address}", lambda: self.run(*question), within)

    def _is_running(self, link):
        with self.socket(socket.AF_INET, socket.SOCK_DGRAM) as some:
            try:
                answer = fcntl.ioctl(some, 0x8913, struct.pack("16s24x", link.encode()))  # SIOCGIFFLAGS
            except OSError:
                return False
            if struct.unpack("16sH22x", answer)[1] & 0x41 != 0x41:  # IFF_UP | IFF_RUNNING
                return False
            # A question that waits for the lock of whoever has made it run, who says so first (tests/ground/ground.cpp).
            carrier = ctypes.create_string_buffer(struct.pack("II", 0xA, 0))  # ETHTOOL_GLINK
            with contextlib.suppress(OSError):
                fcntl.ioctl(some, 0x8946, struct.pack("16sQ16x", link.encode(), ctypes.addressof(carrier)))  # SIOCETHTOOL
        return True


@contextlib.contextmanager
def one_processor():
    """Keeps the caller on one processor, the same each time: what it sends over a veth meanwhile keeps its order."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Process:
    """A process in a host. Its output and errors are one stream, unless files were given for them; `talk` gives it an
    input to write() to, else it has none."""

    def __init__(self, host, command, files=None, env=None, talk=False):
        self._call = host._call  # pylint: disable=protected-access
        self.output = ""
        self.status = None
        self._stream = None
        self._input = None
        self._end, tell_end = os.pipe()
        mine = [tell_end]
        if files is None:
            self._stream, write = os.pipe()
            fcntl.fcntl(write, 1031, 1 << 20)  # F_SETPIPE_SZ: before a process that nobody reads from has to wait
            if talk:
                read, self._input = os.pipe()
            else:
                read = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            mine += [write, read]
            handles = [read, write, write]
        else:
            handles = [file.fileno() for file in files]
        try:
            request = {"do": "start", "argv": [str(word) for word in command], "env": env or {}}
            self.pid = self._call(request, [*handles, tell_end])[0]["pid"]  # as the ground counts, not the machine
        finally:
            for descriptor in mine:
                os.close(descriptor)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            self.signal(signal.SIGKILL)
            self.await_end()
        self.close()

    def close(self):
        """Lets go of its pipes: nothing can be asked of it any more. An ordinary user may have 64 of this size at a time."""
        for descriptor in (self._end, self._stream, self._input):
            if descriptor is not None:
                os.close(descriptor)
        self._end = self._stream = self._input = None

    def signal(self, number):
        """Sends it a signal; nothing happens when it has ended."""
        self._call({"do": "signal", "pid": self.pid, "number": int(number)})

    def write(self, text):
        """Writes to its input, of one that was spawned to talk."""
        os.write(self._input, text.encode())

    def await_end(self, within=SOON):
        """Waits for its end; gives its status."""
        if self.status is None:
            if not Deadline(within).readable(self._end):
                raise GroundError("the process has not ended in time")
            told = os.read(self._end, 16)
            if not told:
                raise GroundError("the keeper of the ground is gone; what it said stands above")
            self.status = int(told)
        return self.status

    def await_output(self, text, within=SOON):
        """Waits until what it has written holds `text`; gives all that it has written so far."""
        deadline = Deadline(within)
        while text not in self.output:
            more = os.read(self._stream, 65536) if deadline.readable(self._stream) else b""
            if not more:
                raise GroundError(f"the process did not write {text!r}; it wrote: {self.output}")
            self.output += more.decode(errors="replace")
        return self.output


class Capture:
    """Everything that passes a link from the moment this object exists. The kernel's socket buffer holds what nobody has taken
    yet; a frame that it had to drop makes every later wait fail, never pass for want of evidence."""

    SOL_PACKET, PACKET_STATISTICS, PACKET_AUXDATA, PACKET_OUTGOING = 263, 6, 8, 4
    SO_RCVBUFFORCE, SO_TIMESTAMPNS, ETH_P_ALL = 33, 35, 3

    def __init__(self, raw, link):
        self._socket = raw
        self._frames = []
        self._given = 0  # frames before this one have been looked at by await_frame
        raw.setsockopt(self.SOL_PACKET, self.PACKET_AUXDATA, 1)
        raw.setsockopt(socket.SOL_SOCKET, self.SO_TIMESTAMPNS, 1)
        try:  # the first is for root alone, the second is cut to what net.core.rmem_max allows
            raw.setsockopt(socket.SOL_SOCKET, self.SO_RCVBUFFORCE, 32 << 20)
        except PermissionError:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 20)
        raw.bind((link, self.ETH_P_ALL))
        raw.setblocking(False)

    def await_frame(self, wanted=lambda frame: True, within=SOON):
        """Waits for a frame that is `wanted`, among those not yet given; None when the time is over."""
        deadline = Deadline(within)
        while True:
            frames = self.frames()
            while self._given < len(frames):
                self._given += 1
                if wanted(frames[self._given - 1]):
                    return frames[self._given - 1]
            if not deadline.readable(self._socket):
                return None

    def frames(self):
        """All frames so far, also those that await_frame gave; does not wait."""
        while True:
            try:
                data, told, _, sender = self._socket.recvmsg(65600, 256)
            except (BlockingIOError, InterruptedError):
                break
            except OSError as error:
                if error.errno != errno.ENETDOWN:  # the link went; what was captured before stays
                    raise
                break
            self._frames.append(self._frame(data, told, sender[2] == self.PACKET_OUTGOING))
        dropped = struct.unpack("II", self._socket.getsockopt(self.SOL_PACKET, self.PACKET_STATISTICS, 8))[1]
        if dropped:
            raise GroundError(f"capture: the kernel dropped {dropped} frames")
        return self._frames

    def _frame(self, data, told, outgoing):
        at = 0.0
        for level, kind, value in told:
            if level == self.SOL_PACKET and kind == self.PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", value[:20])
                if status & 0x10:  # TP_STATUS_VLAN_VALID: the kernel strips a VLAN tag and tells it beside the frame
                    tag = struct.pack("!HH", tpid if status & 0x40 else 0x8100, tci)
                    data = data[:12] + tag + data[12:]
            elif level == socket.SOL_SOCKET and kind == self.SO_TIMESTAMPNS:
                seconds, nanoseconds = struct.unpack("ll", value)
                at = seconds + nanoseconds / 1e9
        return Frame(data, outgoing, at)

    def write_pcap(self, path):
        """Writes all frames so far as a pcap file, for a person with tcpdump or Wireshark."""
        with open(path, "wb") as file:
            file.write(struct.pack("IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65600, 1))
            for frame in self.frames():
                seconds = int(frame.time)
                microseconds = int((frame.time - seconds) * 1e6)
                file.write(struct.pack("IIII", seconds, microseconds, len(frame.data), len(frame.data)) + frame.data)


class Tunnel:
    """The test's end of a tun or tap device; the device goes with it."""

    def __init__(self, device):
        self._device = device

    def write(self, packet):
        """Hands the kernel a packet as if it had come in over the device."""
        os.write(self._device, bytes(packet))

    def await_packet(self, wanted=lambda packet: True, within=SOON):
        """One packet that the kernel sent into the device and that is `wanted`; others are dropped. None when time is over."""
        deadline = Deadline(within)
        while deadline.readable(self._device):
            packet = os.read(self._device, 65600)
            if wanted(packet):
                return packet
        return None

    def close(self):
        """The device goes away."""
        os.close(self._device)


def entrance_for(privileged):
    """The command that enters a new ground; Missing where that is not possible here."""
    root = os.geteuid() == 0
    if privileged and not root:
        raise Missing("wants real root: run it as root, or with sudo")
    for more in ((),) if privileged else (USER_NAMESPACE, ()) if root else (USER_NAMESPACE,):
        words = [*ENTRANCE, *more, "--"]
        try:
            done = subprocess.run([*words, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            raise GroundError(f"unshare is not installed; {MEND}") from error
        if done.returncode == 0:
            return words
    raise Missing(f"no namespaces here: {' '.join(words)}: {done.stderr.strip()}")


def part_commands():
    """Each part that parts.txt lists, with the command that tries it."""
    lines = [line.split(None, 1) for line in PARTS.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return {name: command for name, command in lines}


def lack_of(part, scratch):
    """Why `part` does not work in a fresh host; empty when it does."""
    commands = part_commands()
    if part not in commands:
        raise GroundError(f"{PARTS.name} has no part called {part}")
    done = scratch.attempt("/bin/sh", "-c", commands[part])
    if done.status == 127:
        raise GroundError(f"not installed: {done.err.strip()}; {MEND}")
    return "" if done.status == 0 else f"no {part} here: {commands[part]}: {done.err.strip().splitlines()[-1]}"


def internet_checksum(data):
    """The checksum of IPv4, ICMP, IGMP, …"""
    total = sum(data[0::2]) * 256 + sum(data[1::2])
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def content_of(file):
    file.seek(0)
    return file.read().decode(errors="replace")


def drain(changes):
    while True:
        try:
            changes.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


def print_parts():
    for privileged in (False, True):
        try:
            with Ground(privileged) as ground:
                print("with real root:" if privileged else "in a user namespace:")
                for part in part_commands():
                    print(f"  {part:10} {lack_of(part, Host(ground, 'scratch', 0)) or 'yes'}")
        except Missing as reason:
            print(f"{'with real root' if privileged else 'in a user namespace'}: {reason}")


if __name__ == "__main__":
    print_parts()
