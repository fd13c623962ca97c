"""LLDP over a wire between two hosts: turnpike-lldp at both ends, the same driver in turnpike-ndis-host, and Debian's
lldpd at the other end."""

import json
import signal
import time

import pytest
from ground import SOON, GroundError
from turnpiked import BUILD

LLDP = BUILD / "drivers" / "turnpike-lldp"
HOST = BUILD / "apps" / "turnpike-ndis-host"
DRIVER = BUILD / "drivers" / "lldp.so"


@pytest.fixture
def wired(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    return left, right


def neighbours_in(said):
    """Those of the last table that was printed; what else stands there is the log's."""
    return json.JSONDecoder().raw_decode(said, said.rindex('{"neighbours"'))[0]["neighbours"]


def test_two_of_ours_hear_each_other_and_say_when_they_go(wired):
    left, right = wired
    ours = left.spawn(str(LLDP), "--name", "left-box", "--interval", "30")
    other = right.spawn(str(LLDP), "--name", "right-box", "--interval", "30")  # and yet each soon knows the other
    assert "02:00:00:00:02:01" in ours.await_output('"system_name": "right-box"')
    said = other.await_output('"system_name": "left-box"')
    [neighbour] = neighbours_in(said)
    assert neighbour["interface"] == "eth0" and neighbour["chassis"] == "02:00:00:00:01:01"
    assert neighbour["port"] == "eth0" and neighbour["port_description"] == "eth0"
    other.output = ""
    left.ip("link set eth0 name up0")
    said = other.await_output('"port": "up0"')
    assert [each["port"] for each in neighbours_in(said)] == ["up0"]
    ours.signal(signal.SIGTERM)
    assert ours.await_end() == 0
    other.await_output('{"neighbours": []}')
    other.signal(signal.SIGINT)
    assert other.await_end() == 0


def test_the_host_runs_the_driver_and_unloads_it(wired):
    left, right = wired
    other = right.spawn(str(LLDP), "--for", "600")
    host = left.spawn(str(HOST), "--checked", str(DRIVER))
    host.await_output('"protocols": 1')
    other.await_output('"port": "eth0"')
    host.signal(signal.SIGUSR1)
    host.await_output('"bindings": 1')
    left.ip("link add eth1 type veth peer name eth2")
    left.ip("link set eth1 up", "link set eth2 up")
    other.output = ""
    host.signal(signal.SIGTERM)
    assert host.await_end() == 0
    other.await_output('{"neighbours": []}')  # long before its time would be over: it has said that it goes


@pytest.mark.root
def test_the_host_opens_over_af_xdp_what_it_is_told_to(root_ground):
    root_ground.need("veth", "af_xdp")
    left, right = root_ground.host("left"), root_ground.host("right")
    root_ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    other = right.spawn(str(LLDP), "--for", "600")
    host = left.spawn(str(HOST), "--checked", "--xdp", "eth*", str(DRIVER))
    host.await_output('"protocols": 1')
    assert "prog/xdp" in left.run("ip", "-details", "link", "show", "eth0")
    other.await_output('"port": "eth0"')
    assert left.ping("10.0.0.2")  # it takes its own type alone
    host.signal(signal.SIGTERM)
    assert host.await_end() == 0
    assert "prog/xdp" not in left.run("ip", "-details", "link", "show", "eth0")
    assert left.attempt(str(HOST), "--xdp-take-all", str(DRIVER)).status == 2


def test_at_the_far_end_of_a_tap_the_driver_is_the_hosts_neighbour(ground):
    ground.need("tap")
    host = ground.host("host")
    host.ip("tuntap add tap0 mode tap", "link set tap0 up")
    far = host.spawn(str(HOST), "--checked", "--interfaces", "tap*", "--tap", "tap0", "--add-tap", "tap1", str(DRIVER))
    far.await_output('"bindings": 2')
    seen = host.capture("tap0")
    near = host.spawn(str(LLDP), "--interval", "1")
    assert seen.await_frame(lambda frame: frame.outgoing and frame.data[12:14] == b"\x88\xcc")
    host.ip("link set tap1 up", "link set tap0 down", "link set tap0 up")  # the far end greets a link that comes up
    near.await_output('"interface": "tap1"')
    said = near.await_output('"interface": "tap0"')
    addresses = {link["ifname"]: link["address"] for link in json.loads(host.run("ip", "-json", "link", "show"))}
    for neighbour in neighbours_in(said):
        first, rest = addresses[neighbour["interface"]].split(":", 1)
        assert neighbour["chassis"] == f"{(int(first, 16) | 2) ^ 4:02x}:{rest}"
    assert host.attempt(str(HOST), "--add-tap", "tap1", str(DRIVER)).status == 1
    assert host.attempt(str(HOST), "--tap").status == 2
    far.signal(signal.SIGTERM)
    assert far.await_end() == 0
    near.signal(signal.SIGTERM)
    assert near.await_end() == 0
    links = host.run("ip", "-o", "link", "show")
    assert "tap0" in links and "tap1" not in links


def test_a_driver_that_is_none_is_named(wired):
    left, _ = wired
    done = left.attempt(str(HOST), "/no/such/driver.so")
    assert done.status == 1 and "cannot load /no/such/driver.so: error 126" in done.err
    assert left.attempt(str(HOST)).status == 2 and left.attempt(str(LLDP), "--interval", "0").status == 2


class Lldpd:
    """Debian's lldpd in a host, and lldpcli to ask it. It wants real root, because its unprivileged half changes to a user
    that no user namespace of ours has. Its socket, and the folder that this half is locked into, lie on a /run that the
    ground alone has: lldpcli runs as that user, who may not enter pytest's folders."""

    def __init__(self, host):
        self.host = host
        self.cli = ("lldpcli", "-u", "/run/lldpd.socket")
        host.run("/bin/sh", "-c", "mount -t tmpfs none /run && mkdir /run/lldpd")
        self.process = host.spawn("lldpd", "-d", "-u", "/run/lldpd.socket", "-I", "eth0")
        self.process.await_output("lldpd should resume operations")
        self.ask("configure", "lldp", "tx-interval", "1")
        self.ask("configure", "lldp", "tx-hold", "100")  # what it says holds longer than a test lasts

    def ask(self, *words):
        return self.host.run(*self.cli, "-f", "json", *words)

    def await_neighbour(self, name):
        """Waits until the one neighbour on eth0 has that name, or, for None, until there is none; gives what is said of it."""
        end = time.monotonic() + SOON
        while time.monotonic() < end:
            seen = json.loads(self.ask("show", "neighbors"))["lldp"].get("interface", {}).get("eth0")
            if name is None and seen is None or seen and name in seen["chassis"]:
                return seen
        raise GroundError(f"lldpd says {seen} of eth0")


@pytest.fixture
def beside_lldpd(root_ground):
    root_ground.need("veth")
    left, right = root_ground.host("left"), root_ground.host("right")
    root_ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    return left, Lldpd(right)


@pytest.mark.root
def test_lldpd_and_ours_know_each_other_until_one_says_that_it_goes(beside_lldpd):
    left, theirs = beside_lldpd
    ours = left.spawn(str(LLDP), "--name", "left-box", "--interval", "30")
    seen = theirs.await_neighbour("left-box")
    assert seen["chassis"]["left-box"]["id"] == {"type": "mac", "value": "02:00:00:00:01:01"}
    assert seen["port"] == {"id": {"type": "ifname", "value": "eth0"}, "descr": "eth0", "ttl": "120"}
    said = ours.await_output('"system_description": "')
    [neighbour] = neighbours_in(said)
    assert neighbour["chassis"] == neighbour["port"] == "02:00:00:00:02:01" and neighbour["port_description"] == "eth0"
    assert neighbour["capabilities"]["enabled"] & 0x80 and neighbour["management_addresses"][0] == "10.0.0.2"
    ours.signal(signal.SIGTERM)
    assert ours.await_end() == 0
    theirs.await_neighbour(None)
    ours = left.spawn(str(LLDP))
    ours.await_output('"port_description": "eth0"')
    theirs.process.signal(signal.SIGTERM)
    ours.await_output('{"neighbours": []}')


@pytest.mark.root
@pytest.mark.slow
def test_who_falls_silent_is_forgotten_when_his_time_is_over(beside_lldpd):
    left, theirs = beside_lldpd
    ours = left.spawn(str(LLDP), "--name", "left-box", "--interval", "1")
    assert theirs.await_neighbour("left-box")["port"]["ttl"] == "4"
    ours.signal(signal.SIGKILL)
    theirs.await_neighbour(None)
    theirs.ask("configure", "lldp", "tx-hold", "2")
    ours = left.spawn(str(LLDP))
    ours.await_output('"port_description": "eth0"')
    theirs.host.ip("link set eth0 down")
    ours.await_output('{"neighbours": []}')


def test_it_has_nothing_to_complain_of(wired):
    left, _ = wired
    done = left.attempt(str(LLDP), "--for", "1")
    assert (done.status, done.out, done.err) == (0, '{"neighbours": []}\n', "")


def test_a_missing_capability_is_named(wired):
    left, _ = wired
    host = left.spawn("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", str(HOST), str(DRIVER))
    said = host.await_output('"bindings": 0')
    assert "CAP_NET_RAW" in said and "eth0" in said
    host.signal(signal.SIGTERM)
    host.await_end()
    ours = left.spawn("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", str(LLDP))
    assert "eth0" in ours.await_output("CAP_NET_RAW")
    ours.signal(signal.SIGTERM)
    ours.await_end()


def test_what_a_tap_takes_is_named_where_it_is_missing(ground):
    ground.need("tap")
    host = ground.host("host")
    host.ip("tuntap add tap0 mode tap")
    without = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    done = host.attempt(*without, str(HOST), "--add-tap", "tap1", str(DRIVER))
    assert done.status == 1 and "CAP_NET_ADMIN" in done.err and "cannot make tap1: error 5" in done.err
    host.run("mount", "-t", "tmpfs", "none", "/dev/net")  # the ground's own
    done = host.attempt(str(HOST), "--add-tap", "tap1", str(DRIVER))
    assert done.status == 1 and "/dev/net/tun" in done.err and "cannot make tap1: error 31" in done.err
    other = host.spawn(str(HOST), "--tap", "tap0", str(DRIVER))
    said = other.await_output('"bindings": 0')
    assert "/dev/net/tun cannot be opened" in said and "errno=2" in said
    other.signal(signal.SIGTERM)
    assert other.await_end() == 0
