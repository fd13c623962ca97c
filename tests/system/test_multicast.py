"""Multicast through the daemon: what a file says is what packets do, and a crash loses none of them."""

import socket
import struct
import threading
import time

import pytest
from frr import Frr
from ground import SOON, one_processor
from test_turnpiked import BUILD, Router

PORT = 5004
MULTICAST = "[multicast]\nenabled = true\n"
INTERFACES = "[interface.in]\n[interface.west]\n[interface.east]\n[protocol.mstatic]\n"


def route(group, to, source=None, **more):
    lines = ["[[protocol.mstatic.route]]", f'group = "{group}"', f"to = {to!r}".replace("'", '"')]
    lines += [f'source = "{source}"'] if source else []
    lines += [f'{key.rstrip("_")} = {str(value).lower() if isinstance(value, bool) else chr(34) + value + chr(34)}'
              for key, value in more.items()]
    return "\n".join(lines) + "\n"



class Receiver:
    """A host that has joined a group on a link."""

    def __init__(self, host, group, link="eth0", source=None):
        self.six = ":" in group
        self.socket = host.socket(socket.AF_INET6 if self.six else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((group, PORT, 0, host._index(link)) if self.six else (group, PORT))  # pylint: disable=protected-access
        self.request = self.join(host, group, link, source)

    def join(self, host, group, link, source):
        index = host._index(link)  # pylint: disable=protected-access
        if self.six:
            request = (socket.IPPROTO_IPV6, socket.inet_pton(socket.AF_INET6, group) + struct.pack("@I", index))
            self.socket.setsockopt(request[0], socket.IPV6_JOIN_GROUP, request[1])
        elif source:
            request = (socket.IPPROTO_IP, struct.pack("=4s4s4s", *map(socket.inet_aton, (group, host.address, source))))
            self.socket.setsockopt(request[0], 39, request[1])  # IP_ADD_SOURCE_MEMBERSHIP
        else:
            request = (socket.IPPROTO_IP, socket.inet_aton(group) + struct.pack("=4si", bytes(4), index))
            self.socket.setsockopt(request[0], socket.IP_ADD_MEMBERSHIP, request[1])
        return request

    def leave(self):
        """What was joined without a source."""
        self.socket.setsockopt(self.request[0], socket.IPV6_LEAVE_GROUP if self.six else socket.IP_DROP_MEMBERSHIP,
                               self.request[1])

    def take(self, within=SOON):
        """The number of the next datagram; None: there came none."""
        self.socket.settimeout(within)
        try:
            return struct.unpack("=I", self.socket.recv(64))[0]
        except TimeoutError:
            return None

    def drain(self):
        while self.take(0.001) is not None:
            pass

    def all(self, count):
        return [self.take() for _ in range(count)]


class Sender:
    """What it sends arrives in that order."""

    def __init__(self, host, link="eth0", six=False):
        self.socket = host.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
        index = host._index(link)  # pylint: disable=protected-access
        if six:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 16)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", bytes(4), bytes(4), index))
            self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 16)

    def send(self, group, number):
        with one_processor():
            self.socket.sendto(struct.pack("=I", number), (group, PORT))

    def send_as(self, address, group, number):
        """By IPv4, from that address of the host's: IP_PKTINFO is 8."""
        pktinfo = struct.pack("=i4s4s", 0, socket.inet_aton(address), bytes(4))
        with one_processor():
            self.socket.sendmsg([struct.pack("=I", number)], [(socket.IPPROTO_IP, 8, pktinfo)], 0, (group, PORT))


def arrives(sender, receiver, group, within=SOON):
    """Whether what is sent from now on comes: it is sent again and again until it does."""
    receiver.drain()
    end = time.monotonic() + within
    while time.monotonic() < end:
        sender.send(group, 1)
        if receiver.take(0.05) is not None:
            receiver.drain()
            return True
    return False


def stays_away(sender, receiver, group):
    receiver.drain()
    for number in range(3):
        sender.send(group, number)
    return receiver.take(0.2) is None


@pytest.fixture
def fork(ground):
    """A source, a router, a host behind each of two more links."""
    ground.need("veth", "mroute")
    source, router = ground.host("source"), ground.host("router")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((source, "eth0", "10.0.0.2/24", "fd00::2/64"), (router, "in", "10.0.0.1/24", "fd00::1/64"))
    ground.wire((router, "west", "10.0.1.1/24", "fd00:1::1/64"), (left, "eth0", "10.0.1.2/24", "fd00:1::2/64"))
    ground.wire((router, "east", "10.0.2.1/24", "fd00:2::1/64"), (right, "eth0", "10.0.2.2/24", "fd00:2::2/64"))
    router.forward()
    return source, router, left, right


def settled(router, count):
    router.await_answer("the routes are in force",
                        lambda: router.ask("show", "protocol", "mstatic").get("counts", {}).get("active") == count)


def test_a_file_is_all_that_it_takes_a_reload_changes_it_and_a_stop_removes_all(fork, tmp_path):
    source, host, left, right = fork
    router = Router(host, tmp_path, MULTICAST, INTERFACES, route("239.1.1.1", ["west"], from_="in"),
                    route("ff3e::8000:1", ["west"], from_="in"), route("239.1.1.9", ["east"]))
    settled(router, 3)
    four, six = Sender(source), Sender(source, six=True)
    west, west6 = Receiver(left, "239.1.1.1"), Receiver(left, "ff3e::8000:1")
    east = Receiver(right, "239.1.1.1")
    assert arrives(four, west, "239.1.1.1") and arrives(six, west6, "ff3e::8000:1")
    assert stays_away(four, east, "239.1.1.1")
    flows = {(each["group"], each["source"]): each for each in router.ask("show", "multicast")}
    assert flows["239.1.1.1", "10.0.0.2"]["in"] == "in" and flows["239.1.1.1", "10.0.0.2"]["out"] == ["west"]
    assert flows["ff3e::8000:1", "fd00::2"]["packets"] >= 1 and flows["239.1.1.1", "10.0.0.2"]["protocol"] == "mstatic"
    assert "IPv4 forwarded, " in router.ask("show", "status")["multicast"]

    before = router.ask("show", "status")
    router.write(MULTICAST, INTERFACES, route("239.1.1.1", ["west", "east"], from_="in"), route("239.1.1.9", ["east"]))
    assert router.ask("reload")["result"] == "done"
    west.drain()
    four.send("239.1.1.1", 5)
    assert west.take() == 5 and east.take() == 5, "the entry that stood has changed, without a further question"
    assert stays_away(six, west6, "ff3e::8000:1")
    assert before["interfaces"] == router.ask("show", "status")["interfaces"]

    router.write(MULTICAST, INTERFACES, route("10.1.1.1", ["west"]))
    refused = router.attempt("reload")
    assert refused.status == 1 and "no multicast address" in refused.err and f"{router.file}:14:" in refused.err
    four.send("239.1.1.1", 6)
    assert west.take() == 6 and east.take() == 6

    router.write("[multicast]\nenabled = true\ntable = 7\n", INTERFACES, route("239.1.1.1", ["west"], from_="in"))
    refused = router.attempt("reload")
    assert refused.status == 1 and "does not change while" in refused.err
    router.write("[interface.in]\n")
    assert router.ask("reload")["result"] == "done"
    assert stays_away(four, west, "239.1.1.1") and router.ask("show", "multicast") == []
    assert "IPv4 not forwarded" in router.ask("show", "status")["multicast"]
    router.write(MULTICAST, INTERFACES, route("239.1.1.1", ["west"], from_="in"))
    assert router.ask("reload")["result"] == "done"
    assert arrives(four, west, "239.1.1.1")
    router.process.signal(15)
    assert router.process.await_end() == 0
    for file in ("ip_mr_vif", "ip_mr_cache", "ip6_mr_vif", "ip6_mr_cache"):
        assert len(host.run("cat", f"/proc/net/{file}").splitlines()) == 1, file
    assert "mstatic" not in router.process.output


def test_flows_that_come_in_the_middle_of_a_reload_are_as_the_new_file_says(fork, tmp_path):
    source, host, left, right = fork
    ways = [["west"], ["east", "west"]]
    router = Router(host, tmp_path, MULTICAST, INTERFACES, route("239.1.1.1", ways[0], from_="in"))
    settled(router, 1)
    addresses = [f"10.0.0.{i}" for i in range(10, 250)]
    source.run("ip", "-batch", "-", text="".join(f"addr add {each}/24 dev eth0\n" for each in addresses))
    sender, west, east = Sender(source), Receiver(left, "239.1.1.1"), Receiver(right, "239.1.1.1")
    came = []

    def send_until(done, most):
        while len(came) < most:
            sender.send_as(addresses[len(came)], "239.1.1.1", len(came))
            came.append(west.take())
            if done.is_set():
                break

    for turn in range(1, 7):
        router.write(MULTICAST, INTERFACES, route("239.1.1.1", ways[turn % 2], from_="in"))
        done, before = threading.Event(), len(came)
        sending = threading.Thread(target=send_until, args=(done, turn * len(addresses) // 6))
        sending.start()
        assert router.ask("reload")["result"] == "done"
        done.set()
        sending.join()
        sent = len(came)
        assert sent > before and came == list(range(sent)), "a first packet goes where both files want it"
        flows = router.ask("show", "multicast")
        assert len(flows) == sent and all(sorted(each["out"]) == ways[turn % 2] for each in flows)
        east.drain()
        for number, address in enumerate(addresses[:sent]):
            sender.send_as(address, "239.1.1.1", number)
        assert west.all(sent) == list(range(sent)), "and so the kernel has it"
        assert east.all(sent) == list(range(sent)) if turn % 2 else east.take(0.1) is None
    router.process.signal(15)
    assert router.process.await_end() == 0


def test_no_packet_is_lost_when_it_is_killed_and_started_again(fork, tmp_path):
    source, host, left, _ = fork
    with host.spawn(BUILD / "apps/keeper/turnpike-keeper") as keeper:
        keeper.await_output("keeping")
        settings = (MULTICAST, INTERFACES, route("239.1.1.1", ["west"], from_="in"))
        router = Router(host, tmp_path, *settings)
        settled(router, 1)
        assert "kept over a crash" in router.ask("show", "status")["multicast"]
        sender, receiver = Sender(source), Receiver(left, "239.1.1.1")
        assert arrives(sender, receiver, "239.1.1.1")
        number = 0
        for _ in range(3):
            router.process.signal(9)
            router.process.await_end()
            for _ in range(20):
                sender.send("239.1.1.1", number)
                number += 1
            router = Router(host, tmp_path, *settings)
            settled(router, 1)
            for _ in range(20):
                sender.send("239.1.1.1", number)
                number += 1
        assert receiver.all(number) == list(range(number))
        router.process.signal(15)
        assert router.process.await_end() == 0
        assert stays_away(sender, receiver, "239.1.1.1"), "a stop is none"


def test_groups_are_asked_for_upstream(fork, tmp_path):
    _, host, _, _ = fork
    joins = '[[protocol.mstatic.join]]\ngroup = "239.5.5.5"\ninterface = "in"\n'
    joins6 = '[[protocol.mstatic.join]]\ngroup = "ff3e::5"\nsource = "fd00::2"\ninterface = "in"\n'
    router = Router(host, tmp_path, MULTICAST, INTERFACES, route("239.1.1.1", ["west"], from_="in", join=True), joins, joins6)
    counts = lambda: router.ask("show", "protocol", "mstatic")["counts"]  # noqa: E731
    router.await_answer("they are asked for", lambda: counts()["joined"] == 3)
    groups = host.run("ip", "maddress", "show", "dev", "in")
    assert "239.1.1.1" in groups and "239.5.5.5" in groups and "ff3e::5" in groups
    rows = router.ask("show", "protocol", "mstatic")["rows"]
    assert [each["state"] for each in rows] == ["active"] * 4 and rows[3]["source"] == "fd00::2"
    router.write(MULTICAST, INTERFACES, route("239.1.1.1", ["west"], from_="in"), joins6)
    assert router.ask("reload")["result"] == "done"
    groups = host.run("ip", "maddress", "show", "dev", "in")
    assert "239.1.1.1" not in groups and "239.5.5.5" not in groups and "ff3e::5" in groups


def test_who_has_the_table_is_told(fork, tmp_path):
    _, host, _, _ = fork
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = Router(host, tmp_path / "a", MULTICAST)
    file = tmp_path / "b" / "turnpike.toml"
    file.write_text(f'[router]\ncontrol = "{tmp_path}/b/control"\nstate = "{tmp_path}/b"\n[forwarder]\nenabled = false\n{MULTICAST}',
                    encoding="utf-8")
    with host.spawn(BUILD / "apps/turnpiked", "--config", file) as second:
        second.await_output(f"process {first.process.pid} (turnpiked) has the kernel's table")
        assert second.await_end() == 1


PIMD = """interface upper
 ip igmp
 ip pim
interface lower
 ip igmp
 ip pim
"""


@pytest.fixture
def street(ground):
    """A source, two routers, a receiver. To the second router the source seems to be on the link between the two: pimd
    takes packets from its own networks and from neighbours that speak PIM, and ours speaks none."""
    ground.need("veth", "mroute")
    source, first, second, home = (ground.host(name) for name in ("source", "first", "second", "home"))
    ground.wire((source, "eth0", "10.0.0.2/24"), (first, "upper", "10.0.0.1/24"))
    ground.wire((first, "lower", "10.0.1.1/24"), (second, "upper", "10.0.1.2/24", "10.0.0.9/24"))
    ground.wire((second, "lower", "10.0.2.1/24"), (home, "eth0", "10.0.2.2/24"))
    source.ip("route add default via 10.0.0.1")
    first.forward()
    second.forward()
    home.address = "10.0.2.2"
    return source, first, second, home


def test_pimd_of_frr_takes_from_us(street, tmp_path):
    source, first, second, home = street
    Frr.prepare(second, tmp_path)
    Frr(second, tmp_path / "frr", PIMD, other="pimd")
    router = Router(first, tmp_path, MULTICAST, "[interface.upper]\n[interface.lower]\n[protocol.mstatic]\n",
                    route("232.1.1.1", ["lower"], source="10.0.0.2", from_="upper"))
    settled(router, 1)
    receiver = Receiver(home, "232.1.1.1", source="10.0.0.2")
    assert arrives(Sender(source), receiver, "232.1.1.1")
    router.write(MULTICAST, "[interface.upper]\n[interface.lower]\n[protocol.mstatic]\n")
    assert router.ask("reload")["result"] == "done"
    assert stays_away(Sender(source), receiver, "232.1.1.1"), "it came by us"


def test_pimd_of_frr_gives_to_us_for_a_report(ground, tmp_path):
    ground.need("veth", "mroute")
    source, first, second, home = (ground.host(name) for name in ("source", "first", "second", "home"))
    ground.wire((source, "eth0", "10.0.0.2/24"), (first, "upper", "10.0.0.1/24"))
    ground.wire((first, "lower", "10.0.1.1/24"), (second, "upper", "10.0.1.2/24"))
    ground.wire((second, "lower", "10.0.2.1/24"), (home, "eth0", "10.0.2.2/24"))
    first.forward()
    second.forward()
    second.ip("route add 10.0.0.0/24 via 10.0.1.1")
    Frr.prepare(first, tmp_path)
    frr = Frr(first, tmp_path / "frr", PIMD, other="pimd")
    interfaces = "[interface.upper]\n[interface.lower]\n[protocol.mstatic]\n"
    with_join = route("232.1.1.1", ["lower"], source="10.0.0.2", from_="upper", join=True)
    router = Router(second, tmp_path, MULTICAST, interfaces, with_join)
    settled(router, 1)
    sender, receiver = Sender(source), Receiver(home, "232.1.1.1")
    assert arrives(sender, receiver, "232.1.1.1")
    assert "10.0.0.2" in frr.vtysh("show ip igmp sources")
    router.write(MULTICAST, interfaces, with_join.replace("join = true", "join = false"))
    assert router.ask("reload")["result"] == "done"
    assert "232.1.1.1" not in second.run("ip", "maddress", "show", "dev", "upper"), "we have left"
    end = time.monotonic() + SOON
    while not stays_away(sender, receiver, "232.1.1.1"):
        assert time.monotonic() < end, "pimd still sends"
