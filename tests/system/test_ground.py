"""The test ground itself: what a test can build and see on it, and that nothing is left of it."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from ground import ENTRANCE, MEND, SOON, Ground, GroundError, internet_checksum, lack_of, part_commands

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUR_TYPE = 0x88b5  # the EtherType for local experiments


def frame(payload, to=b"\xff" * 6, tag=b""):
    return to + b"\x02\0\0\0\0\x09" + tag + struct.pack("!H", OUR_TYPE) + payload


def is_ours(seen):
    return seen.data[12:14] == struct.pack("!H", OUR_TYPE)


def test_two_hosts_ping_over_a_wire(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24", "fd00::1/64"), (right, "eth0", "10.0.0.2/24", "fd00::2/64"))
    assert left.ping("10.0.0.2")
    assert right.ping("fd00::1")
    assert not left.ping("10.0.1.1")
    left.ip("link set eth0 down")
    assert not right.ping("10.0.0.1", within=0.05)


def test_bridge_of_three(ground):
    ground.need("veth", "bridge")
    hosts = [ground.host(f"host{number}") for number in (1, 2, 3)]
    ground.bridge("switch", *((host, "eth0", f"10.0.0.{number}/24") for number, host in enumerate(hosts, 1)))
    third = hosts[2].capture("eth0")
    assert hosts[0].ping("10.0.0.2")
    assert hosts[1].ping("10.0.0.3")
    assert third.await_frame(lambda seen: not seen.outgoing and seen.data[:6] == b"\xff" * 6), "an ARP request reaches all"


def test_router_between_two_wires(ground):
    ground.need("veth")
    left, router, right = (ground.host(name) for name in ("left", "router", "right"))
    ground.wire((left, "eth0", "10.0.1.1/24"), (router, "west", "10.0.1.2/24"))
    ground.wire((router, "east", "10.0.2.2/24"), (right, "eth0", "10.0.2.1/24"))
    left.ip("route add default via 10.0.1.2")
    right.ip("route add default via 10.0.2.2")
    assert not left.ping("10.0.2.1", within=0.05), "a fresh host does not forward"
    router.forward()
    assert left.ping("10.0.2.1")


def test_tun_round_trip(ground):
    ground.need("tun")
    host = ground.host("host")
    tun = host.tun("tun0")
    host.ip("addr add 10.0.0.1/24 dev tun0")
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 7)
    echo = struct.pack("!BBHHH", 8, 0, internet_checksum(echo), 1, 7)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 1, 0, bytes([10, 0, 0, 2]), bytes([10, 0, 0, 1]))
    tun.write(header[:10] + struct.pack("!H", internet_checksum(header)) + header[12:] + echo)
    reply = tun.await_packet(lambda packet: packet[9:10] == b"\x01" and packet[20] == 0)
    assert reply[24:28] == echo[4:8]
    tun.close()


def test_tap_carries_frames_both_ways(ground):
    ground.need("tap")
    host = ground.host("host")
    tap = host.tap("tap0")
    capture = host.capture("tap0")
    tap.write(frame(b"\1" * 46))
    assert capture.await_frame(is_ours).data == frame(b"\1" * 46)
    host.inject("tap0", frame(b"\2" * 46))
    assert tap.await_packet(lambda packet: packet == frame(b"\2" * 46))


def test_capture_sees_an_injected_frame(ground, tmp_path):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0"), (right, "eth0"))
    there, here = right.capture("eth0"), left.capture("eth0")
    left.inject("eth0", frame(b"\x5a" * 46))
    left.inject("eth0", frame(b"\x5b" * 46, tag=b"\x81\0\x20\x07"))
    arrived = there.await_frame(is_ours)
    assert arrived.data == frame(b"\x5a" * 46) and not arrived.outgoing and arrived.time > 0
    assert here.await_frame(is_ours).outgoing
    tagged = there.await_frame(lambda seen: seen.data[12:14] == b"\x81\0")
    assert tagged.data == frame(b"\x5b" * 46, tag=b"\x81\0\x20\x07"), "a VLAN tag is part of the frame"
    assert there.await_frame(is_ours, within=0) is None, "no frame is given twice"
    there.write_pcap(tmp_path / "seen.pcap")
    assert (tmp_path / "seen.pcap").stat().st_size == 24 + sum(16 + len(seen.data) for seen in there.frames())


def test_scapy_makes_and_reads_frames(ground):
    from scapy.layers.inet import ICMP, IP  # pylint: disable=import-outside-toplevel
    from scapy.layers.l2 import Ether  # pylint: disable=import-outside-toplevel
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    capture = left.capture("eth0")
    left.inject("eth0", Ether(dst="02:00:00:00:02:01", src="02:00:00:00:01:01") / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(seq=9))
    reply = capture.await_frame(lambda seen: not seen.outgoing and ICMP in seen.packet)
    assert reply.packet[ICMP].type == 0 and reply.packet[ICMP].seq == 9


def test_the_outside_is_out_of_reach(ground):
    host = ground.host("host")
    assert host.run("ip", "-br", "link").split()[0] == "lo"
    assert len(host.run("ip", "-br", "link").splitlines()) == 1
    assert not host.ping("192.0.2.1", within=0.05)
    assert host.ping("127.0.0.1"), "loopback is up"


def test_a_socket_lives_in_its_host(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    with right.socket() as server, left.socket() as client:
        server.bind(("10.0.0.2", 80))
        server.listen()
        client.settimeout(SOON)
        client.connect(("10.0.0.2", 80))
        assert server.accept()[1][0] == "10.0.0.1"
    with right.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, right.socket(socket.AF_INET6, socket.SOCK_DGRAM) as other:
        assert (one.family, other.family) == (socket.AF_INET, socket.AF_INET6)


def test_waits_for_an_address_through_duplicate_detection(ground):
    ground.need("veth")
    left = ground.host("left")
    ground.wire((left, "eth0"), (ground.host("right"), "eth0"))
    left.sysctl("net/ipv6/conf/eth0/accept_dad", 1)
    left.sysctl("net/ipv6/conf/eth0/router_solicitation_delay", 0)  # it delays the detection too
    left.sysctl("net/ipv6/neigh/eth0/retrans_time_ms", 50)
    left.ip("addr add fd00::1/64 dev eth0")
    left.await_address("eth0", "fd00::1")
    assert left.run("ip", "-o", "addr", "show", "dev", "eth0", "to", "fd00::1", "tentative") == ""
    with pytest.raises(GroundError, match="waited in vain"):
        left.await_address("eth0", "fd00::2", within=0.02)
    with pytest.raises(GroundError, match="waited in vain: eth1 runs"):
        left.await_running("eth1", within=0)


def test_commands_tell_how_they_ended(ground):
    host = ground.host("host")
    done = host.attempt("/bin/sh", "-c", "cat; echo out $WORD; echo err >&2; exit 3", text="in\n", env={"WORD": "word"})
    assert (done.status, done.out, done.err) == (3, "in\nout word\n", "err\n")
    assert host.attempt("/bin/sh", "-c", "kill -TERM $$").status == 128 + 15
    assert host.attempt("no-such-command").status == 127
    for mistake in (lambda: host.run("false"), lambda: host.ip("link set nothing up"), lambda: host.sysctl("no/such", 1),
                    lambda: host.capture("nothing"), lambda: host.inject("nothing", bytes(60)),
                    lambda: host.attempt("sleep", "1000", within=0.02), lambda: host.tun("a name that is far too long")):
        with pytest.raises(GroundError):
            mistake()
    assert host.run("echo", "still here") == "still here\n"


def test_a_process_beside_the_test(ground):
    script = "trap 'echo bye; kill $!; exit 4' TERM; sleep 1000 & echo ready; wait"
    with ground.host("host").spawn("/bin/sh", "-c", script) as process:
        process.await_output("ready\n")
        with pytest.raises(GroundError):
            process.await_end(within=0.02)
        process.signal(signal.SIGTERM)
        assert process.await_output("bye\n") == "ready\nbye\n"
        assert process.await_end() == 4
        process.signal(signal.SIGTERM)  # nothing happens: it has ended
        with pytest.raises(GroundError, match="did not write"):
            process.await_output("never")


def test_twenty_hosts(ground):
    ground.need("veth", "bridge")
    hosts = [ground.host(f"host{number}") for number in range(1, 21)]
    ground.bridge("switch", *((host, "eth0", f"10.0.0.{number}/24") for number, host in enumerate(hosts, 1)))
    for number, host in enumerate(hosts):
        assert host.ping(f"10.0.0.{(number + 1) % 20 + 1}")


def test_two_grounds_at_once_do_not_clash(ground):
    ground.need("veth")
    with Ground() as other:
        for one in (ground, other):
            one.wire((one.host("left"), "eth0", "10.0.0.1/24"), (one.host("right"), "eth0", "10.0.0.2/24"))
        other.host("right").ip("link set eth0 down")
        assert ground.host("left").ping("10.0.0.2")
        assert not other.host("left").ping("10.0.0.2", within=0.05)


@pytest.mark.root
def test_root_ground_has_real_root(root_ground):
    assert root_ground.host("host").run("cat", "/proc/self/uid_map").split() == ["0", "0", "4294967295"]


def test_ground_has_rights_over_itself_alone(ground):
    host = ground.host("host")
    assert host.run("id", "-u") == "0\n"
    if subprocess.run([*ENTRANCE, "--user", "true"], check=False).returncode == 0:
        assert host.run("cat", "/proc/self/uid_map").split()[2] == "1"


def test_a_part_is_there_or_its_lack_has_a_reason(ground):
    for part in part_commands():
        lack = lack_of(part, ground.host(f"scratch for {part}"))
        assert lack == "" or lack.startswith(f"no {part} here: ")


# What is left over


def test_nothing_after_sigkill():
    """`unshare`, which ends after all processes of the ground, holds a pipe as its standard error: the pipe then ends."""
    script = """if True:
        import os, sys
        from ground import Ground
        ground = Ground()
        host = ground.host("host")
        loose = host.spawn("/bin/sh", "-c", "setsid sleep 1000 & readlink /proc/self/ns/net; echo loose")
        print(loose.await_output("loose"), flush=True)
        sys.stdin.read()
        """
    named = list(Path("/run/netns").glob("*"))
    links = socket.if_nameindex()
    read, write = os.pipe()
    with subprocess.Popen([sys.executable, "-c", script], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=write, text=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}) as killed:
        os.close(write)
        space = killed.stdout.readline().strip()
        assert space.startswith("net:["), os.read(read, 65536)
        assert killed.stdout.readline() == "loose\n"
        assert is_inhabited(space)
        killed.kill()
    with os.fdopen(read) as end:
        assert end.read() == ""
    assert not is_inhabited(space)
    assert list(Path("/run/netns").glob("*")) == named
    assert socket.if_nameindex() == links


def is_inhabited(space):
    """Whether any process on this machine is in that network namespace; those that we may not look into are not ours."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "ns/net") == space:
                return True
        except OSError:
            pass
    return False


# Who may, and what skips: pytest over one test in a folder of its own, where nobody may read, with the ground copied there


@pytest.fixture
def run_pytest():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("tests/system/ground.py", "tests/system/keeper.py", "tests/system/conftest.py", "tests/ground/parts.txt",
                     "pytest.ini"):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)

        def run(source, *before, parts="", **variables):
            (folder / "tests/system/test_it.py").write_text(source, encoding="utf-8")
            with open(folder / "tests/ground/parts.txt", "a", encoding="utf-8") as table:
                table.write(parts)
            done = subprocess.run([*before, sys.executable, "-B", "-m", "pytest", "-rs", "-q", "tests/system"], cwd=folder,
                                  env={**os.environ, **variables}, check=False, capture_output=True, text=True)
            return done.stdout

        yield run


ONE_OF_EACH = """
import pytest

def test_plain(ground):
    assert ground.host("host").ping("127.0.0.1")

@pytest.mark.root
def test_marked():
    pass

def test_asks_for_root(root_ground):
    assert root_ground.host("host").ping("127.0.0.1")
"""


def test_an_ordinary_user_plays_too(run_pytest):
    if os.geteuid() != 0:
        pytest.skip("wants real root: to become an ordinary user")
    said = run_pytest(ONE_OF_EACH, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    assert "1 passed, 2 skipped" in said, said
    assert said.count("wants real root: run it as root, or with sudo") == 2, said


def test_a_part_that_is_missing_skips_with_the_reason(run_pytest):
    said = run_pytest("def test_it(ground):\n    ground.need('veth', 'ours')\n", parts="ours echo not for you >&2; exit 1\n")
    assert "1 skipped" in said, said
    assert "no ours here: echo not for you >&2; exit 1: not for you" in said, said


def test_a_command_that_is_missing_fails(run_pytest):
    said = run_pytest("def test_it(ground):\n    ground.need('ours')\n", parts="ours no-such-command\n")
    assert "1 failed" in said and MEND in said, said
    said = run_pytest("def test_it(ground):\n    ground.need('no such part')\n")
    assert "1 failed" in said and "no part called" in said, said
    said = run_pytest("def test_it(ground):\n    pass\n", PATH="/nowhere")
    assert "1 error" in said and "unshare is not installed" in said, said
