"""turnpike-capture between two hosts: what it writes is what tshark reads, and Wireshark runs it as an extcap program."""

import os
import re
import signal
import struct
import threading
import time

import pytest
from ground import SOON, GroundError, one_processor
from turnpiked import BUILD

CAPTURE = BUILD / "drivers" / "turnpike-capture"
BROADCAST = b"\xff" * 6


@pytest.fixture
def wired(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    for host in (left, right):  # so that nothing is sent but what a test sends
        host.sysctl("net/ipv6/conf/all/disable_ipv6", 1)
    left.ip("neigh replace 10.0.0.2 lladdr 02:00:00:00:02:01 dev eth0 nud permanent")
    right.ip("neigh replace 10.0.0.1 lladdr 02:00:00:00:01:01 dev eth0 nud permanent")
    return left, right


def send(host, *frames):
    raw = host.socket(17, 3, 0)  # AF_PACKET, SOCK_RAW
    with raw, one_processor():
        raw.bind(("eth0", 0))
        for frame in frames:
            raw.send(frame)


def frame(number, to=BROADCAST, size=200):
    return to + b"\x02\0\0\0\0\x09" + struct.pack("!HI", 0x88B5, number) + bytes(size - 18)


def start(host, *words):
    """A capture of eth0 that has begun."""
    capture = host.spawn(CAPTURE, "-i", "eth0", *words)
    capture.await_output("capturing on eth0\n")
    return capture


def send_until(right, process, text):
    """Sends frame after frame, until the process that is about to receive them has."""
    for _ in range(int(SOON / 0.2)):
        send(right, frame(1))
        try:
            return process.await_output(text, within=0.2)
        except GroundError as error:
            if "did not write" not in str(error):
                raise
    raise GroundError(f"no {text!r} in {process.output}")


def read(host, path, *fields):
    """The fields of each frame of our type, as tshark sees them."""
    words = [word for field in fields for word in ("-e", field)]
    out = host.run("tshark", "-n", "-r", path, "-Y", "eth.type == 0x88b5 or vlan.etype == 0x88b5", "-T", "fields", *words)
    return [tuple(line.split("\t")) for line in out.splitlines()]


def blocks(path, kind):
    """The blocks of a kind in a pcapng file, each as its bytes."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        this, size = struct.unpack_from("<II", data, at)
        assert size % 4 == 0 and struct.unpack_from("<I", data, at + size - 4)[0] == size
        if this == kind:
            found.append(data[at:at + size])
        at += size
    return found


def counts(path):
    """Of the first interface's statistics: received, lost by the interface, lost by the writer, written."""
    block = blocks(path, 5)[0]
    options, at = {}, 20
    while at < len(block) - 4:
        code, size = struct.unpack_from("<HH", block, at)
        options[code] = block[at + 4:at + 4 + size]
        at += 4 + (size + 3) // 4 * 4
    return tuple(struct.unpack("<Q", options[code])[0] for code in (4, 5, 7, 8))


def test_what_passes_is_written_with_its_time_direction_and_counts(wired, tmp_path):
    left, right = wired
    path = tmp_path / "both.pcapng"
    capture = start(left, "-w", str(path), "-c", "5")
    send(right, frame(1))
    left.ping("10.0.0.2")
    send(left, frame(2))
    send(right, frame(3, to=b"\x02\0\0\0\0\x77"))  # for nobody here: promiscuous
    assert capture.await_end() == 0
    seen = read(left, path, "frame.packet_flags_direction", "frame.len", "frame.cap_len", "eth.dst")
    assert seen == [("0x00000001", "200", "200", "ff:ff:ff:ff:ff:ff"), ("0x00000002", "200", "200", "ff:ff:ff:ff:ff:ff"),
                    ("0x00000001", "200", "200", "02:00:00:00:00:77")]
    pings = left.run("tshark", "-n", "-r", path, "-Y", "icmp", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.time_delta").splitlines()
    assert len(pings) == 2 and all(re.fullmatch(r"eth0\t\d+\.\d{9}", line) for line in pings), pings
    received, by_interface, by_writer, written = counts(path)
    assert (by_interface, by_writer) == (0, 0) and received == written == len(blocks(path, 6))
    assert f"eth0: {received} frames, 0 of them lost" in capture.await_output("by the interface\n")


def test_less_is_taken_where_less_was_asked_for(wired, tmp_path):
    left, right = wired
    path = tmp_path / "less.pcapng"
    capture = start(left, "-w", str(path), "-p", "-s", "64", "-c", "2")
    assert "promiscuity 0" in left.run("ip", "-d", "link", "show", "eth0")
    send(right, frame(2), frame(3), frame(4))
    assert capture.await_end() == 0
    assert read(left, path, "frame.len", "frame.cap_len", "data.data")[0][:2] == ("200", "64")
    assert [block[28 + 14:28 + 18] for block in blocks(path, 6)] == [b"\0\0\0\x02", b"\0\0\0\x03"]
    everything = start(left, "-w", str(path))
    assert "promiscuity 1" in left.run("ip", "-d", "link", "show", "eth0")
    everything.signal(signal.SIGTERM)
    assert everything.await_end() == 0
    assert start(left, "-w", str(path), "--for", "1").await_end() == 0


def test_a_vlan_tag_stands_in_the_frame(wired, tmp_path):
    left, right = wired
    path = tmp_path / "vlan.pcapng"
    capture = start(left, "-w", str(path), "-c", "1")
    whole = frame(7, size=1514)
    send(right, whole[:12] + struct.pack("!HH", 0x8100, 5 << 13 | 42) + whole[12:])
    assert capture.await_end() == 0
    assert read(left, path, "vlan.id", "vlan.priority", "frame.len") == [("42", "5", "1518")]


def test_standard_output_is_read_as_it_grows(wired, tmp_path):
    left, right = wired
    script = (f"{{ {CAPTURE} -i eth0 -p -w -; echo ended with $? >&2; }} |"
              " { tshark -n -l -i - -T fields -e eth.src -c 2; exec <&-; echo two have been read; }")
    out = left.spawn("/bin/sh", "-c", script, env={"HOME": str(tmp_path)})
    out.await_output("capturing on eth0")
    send(right, frame(1))
    out.await_output("02:00:00:00:00:09")
    send(right, frame(2))
    out.await_output("two have been read")
    send(right, frame(3))
    out.await_output("ended with 0")  # the reader has gone, and that is no error


def test_a_ring_keeps_the_last_files_and_each_stands_for_itself(wired, tmp_path):
    left, right = wired
    capture = start(left, "-w", tmp_path / "ring.pcapng", "--file-size", "8", "--files", "3", "-c", "200", "-p")
    send(right, *(frame(number, size=1000) for number in range(220)))
    assert capture.await_end() == 0
    files = sorted(tmp_path.glob("ring_*.pcapng"))
    assert len(files) == 3 and int(files[-1].stem[-5:]) >= 200 // 7
    for path in files:
        assert path.stat().st_size < 8192 + 200 and len(blocks(path, 5)) == 1 and len(blocks(path, 1)) == 1
        assert len(read(left, path, "frame.len")) == len(blocks(path, 6))
    assert [struct.unpack(">I", block[42:46])[0] for path in files for block in blocks(path, 6)][-1] == 199


def test_a_disk_that_is_full_ends_it_with_a_whole_file(wired, tmp_path):
    left, right = wired
    left.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", tmp_path)
    capture = start(left, "-w", tmp_path / "full.pcapng", "-p")
    send(right, *(frame(number, size=1500) for number in range(200)))
    assert "full.pcapng: No space left on device" in capture.await_output(" by the interface\n")
    assert capture.await_end() == 1
    assert len(read(left, tmp_path / "full.pcapng", "frame.len")) > 20  # and tshark does not complain


def test_it_ends_while_frames_never_do(wired, tmp_path):
    left, right = wired
    path = tmp_path / "flood.pcapng"
    capture = start(left, "-w", path, "-p")
    ended = threading.Event()

    def flood():
        with right.socket(17, 3, 0) as raw:
            raw.bind(("eth0", 0))
            while not ended.is_set():
                raw.send(frame(1))

    sender = threading.Thread(target=flood)
    sender.start()
    try:
        end = time.monotonic() + SOON
        while path.stat().st_size < 10000:
            assert time.monotonic() < end, "nothing is written"
        capture.signal(signal.SIGINT)
        assert capture.await_end() == 0
    finally:
        ended.set()
        sender.join()
    assert len(blocks(path, 5)) == 1 and counts(path)[3] == len(blocks(path, 6))


def test_a_reader_who_does_not_read_keeps_nobody_from_ending(wired, tmp_path):
    left, right = wired
    path = tmp_path / "pipe"
    os.mkfifo(path)
    capture = left.spawn(CAPTURE, "-i", "eth0", "-w", path, "--buffer", "1", "-p")
    reader = os.open(path, os.O_RDONLY)
    capture.await_output("capturing on eth0")
    send(right, *(frame(number, size=1500) for number in range(200)))
    capture.signal(signal.SIGTERM)
    assert capture.await_end() == 0
    os.close(reader)


def test_it_says_what_is_wrong(wired, tmp_path):
    left, _ = wired
    path = tmp_path / "x.pcapng"
    for words, said in [(("-i", "eth7", "-w", path), "eth7: there is no Ethernet interface of that name"), (("-w", "/no/such/x"), "/no/such/x: No such file"),
                        (("-i", "zz*", "-w", path), "zz*: there is none")]:
        done = left.attempt(CAPTURE, *words)
        assert done.status == 1 and said in done.err, done
    for words, said in [((), "usage"), (("-w", path, "-s", "0"), "--snap-length: a number from 1 to 262144, not 0"),
                        (("-w", path, "--files", "2"), "usage"), (("-w", path, "-c", "1x"), "not 1x"), (("-w", path, "more"), "usage"),
                        (("--capture", "--extcap-interface", "eth0", "--fifo", path), "none of the interfaces"),
                        (("--capture", "--extcap-capture-filter", "tcp", "--fifo", path), "no capture filters")]:
        done = left.attempt(CAPTURE, *words)
        assert done.status == 2 and said in done.err, done
    done = left.attempt("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", CAPTURE, "-i", "eth0", "-w", path)
    assert done.status == 1 and "eth0: may not be opened: that takes CAP_NET_RAW" in done.err, done


def test_wireshark_runs_it(wired, tmp_path):
    left, right = wired
    (tmp_path / "extcap").mkdir()
    (tmp_path / "extcap" / "turnpike-capture").symlink_to(CAPTURE)
    env = {"HOME": str(tmp_path)}
    # tshark listens to no WIRESHARK_EXTCAP_DIR of root's.
    folder = re.search(r"^(?:Global )?Extcap path:\s+(\S+)", left.run("tshark", "-G", "folders", env=env), re.MULTILINE)[1]
    left.run("mount", "--bind", tmp_path / "extcap", folder)
    unprivileged = left.run("setpriv", "--bounding-set=-all", "--inh-caps=-all", CAPTURE, "--extcap-interfaces", "--extcap-version=4.0")
    assert "interface {value=turnpike-eth0}" in unprivileged and "interface {value=turnpike-lo}" in unprivileged
    assert "turnpike-eth0 (Turnpike NDIS: eth0)" in left.run("tshark", "-D", env=env)
    assert "EN10MB" in left.run("tshark", "-L", "-i", "turnpike-eth0", env=env)
    shark = left.spawn("tshark", "-n", "-l", "-i", "turnpike-eth0", "-T", "fields", "-e", "eth.type", "-e", "frame.len", "-c", "2", env=env)
    send_until(right, shark, "0x88b5\t200")
    send(right, frame(2), frame(3))
    assert shark.await_end() == 0
