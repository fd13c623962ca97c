"""The daemon among faults: killed at any moment, out of room, with broken configurations, broken modules, turned clocks."""

import random
import re
import socket
import struct
import time

import pytest
from ground import SOON
from turnpiked import BUILD, DAEMON, ROOT, STATIC, Router, Stream, text

FAULTY = BUILD / "tests/turnpiked/faulty.so"
SAMPLE = BUILD / "examples/win-sample/nrp.so"
MONTH = 30 * 24 * 3600 * 10**9


def faulty(number, settings="", name="faulty"):
    raw = settings.encode().hex(" ")
    return f'[protocol.{name}]\nlibrary = "{FAULTY}"\nid = {number}\n' + (f'raw = "{raw}"\n' if raw else "")


@pytest.fixture(name="between")
def fixture_between(ground):
    """A router between two hosts, of which the far one has 10.9.0.1 as well, which takes a route to reach."""
    ground.need("veth", "nexthop")
    near, middle, far = (ground.host(name) for name in ("near", "middle", "far"))
    ground.wire((near, "eth0", "10.1.0.2/24"), (middle, "eth1", "10.1.0.1/24"))
    ground.wire((middle, "eth0", "10.0.0.1/24"), (far, "eth0", "10.0.0.2/24", "10.9.0.1/16"))
    near.ip("route add default via 10.1.0.1")
    far.ip("route add default via 10.0.0.1")
    middle.forward()
    return near, middle, far


@pytest.fixture(name="host")
def fixture_host(ground):
    """A host with a link to itself."""
    ground.need("veth", "nexthop")
    host = ground.host("alone")
    host.ip("link add eth0 type veth peer name other", "link set eth0 up", "link set other up",
            "addr add 10.0.0.1/24 dev eth0")
    host.await_running("eth0")
    return host


@pytest.fixture(name="alone")
def fixture_alone(host, tmp_path):
    """A router there, with a route over that link."""
    router = Router(host, tmp_path, STATIC)
    router.await_static()
    return router


def ours(host):
    """The kernel's routes that carry our number."""
    return set(re.findall(r"^(?:blackhole )?[0-9./]+", host.run("ip", "route", "show", "proto", "220"), re.MULTILINE))


# ----------------------------------------------------------------------------------------------------------------------
# Ends that nobody wanted


@pytest.mark.slow
def test_killed_at_any_moment_it_forwards_on_and_comes_back_as_configured(between, tmp_path):
    near, middle, far = between
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    more = "".join(f'[[protocol.static.route]]\nto = "10.7.{i}.0/24"\nvia = "10.0.0.2"\n' for i in range(50))
    sections = ["[interface.eth1]\n" + STATIC.replace("[interface.eth1]\n", "")]
    router = Router(middle, tmp_path, *sections)
    router.await_kernel("10.9.0.0/16", "installed")
    with Stream(near, far, "10.9.0.1") as stream:
        for _ in range(12):
            router.write(*sections, more if dice.random() < 0.5 else "")
            if dice.random() < 0.5:
                router.process.await_output("turnpiked: running")
                router.process.signal(1)
            time.sleep(dice.random() * 0.2)  # any moment: the start that is not over, a reload, quiet
            router.process.signal(9)
            assert router.process.await_end() == 137
            router.process = middle.spawn(DAEMON, "--config", router.file)
        router.process.signal(9)
        router.process.await_end()
        router.write(*sections)
        router.start()
        router.await_static()
        # Not before: a start may take longer than that, and what nobody has claimed by then goes.
        router.write("[forwarder]\nsweep-after = \"1s\"\n", *sections)
        assert router.ask("reload")["result"] == "done"
        wanted = {"10.9.0.0/16", "blackhole 10.8.0.0/16"}
        router.await_answer("what it has is what is configured", lambda: ours(middle) == wanted)
        router.await_answer("five hundred packets are sent", lambda: stream.sent > 500)
    assert stream.lost() == []
    assert router.ask("reload") == {"result": "no changes", "changes": []}


def test_a_thousand_links_come_and_go(alone):
    names = [f"d{i}" for i in range(1000)]
    alone.write(STATIC, "\n".join(f"[interface.{name}]" for name in names))
    assert alone.ask("reload")["result"] == "done"
    pairs = list(zip(names[::2], names[1::2]))

    def batch(lines):
        alone.host.run("ip", "-batch", "-", text="".join(line + "\n" for line in lines), within=300)

    batch([f"link add {one} type veth peer name {other}" for one, other in pairs] +
          [f"link set {name} up" for name in names])

    def states():
        shown = {each["name"]: each["state"] for each in alone.ask("show", "interface")}
        return [shown[name] for name in names]

    alone.await_answer("all are connected", lambda: set(states()) == {"connected"})
    batch([f"link set {name} {state}" for state in ("down", "up", "down") for name in names])
    alone.await_answer("none is", lambda: "connected" not in states())
    batch([f"link del {one}" for one, _ in pairs[:20]])  # the kernel takes its time over each
    alone.await_answer("some are gone", lambda: sum(each["reasons"] == ["no device"] and each["name"] in names
                                                    for each in alone.ask("show", "interface")) == 40)
    assert alone.routes()["10.9.0.0/16"]["kernel"] == "installed"


# ----------------------------------------------------------------------------------------------------------------------
# No room


def test_a_full_disk_stops_neither_the_log_nor_the_router(host, tmp_path):
    full = tmp_path / "full"
    full.mkdir()
    host.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", full)
    host.attempt("dd", "if=/dev/zero", f"of={full}/filled", "bs=4k")
    router = Router.__new__(Router)
    router.host, router.folder, router.file = host, tmp_path, tmp_path / "turnpike.toml"
    state = text(tmp_path, STATIC).replace(f'state = "{tmp_path}"', f'state = "{full}"')
    router.file.write_text(state, encoding="utf-8")
    log = f"exec {DAEMON} --config {router.file} 2>>{full}/log"
    router.process = host.spawn("sh", "-c", log)
    router.await_answer("it answers", lambda: router.attempt("show", "status").status == 0)
    router.await_static()
    router.file.write_text(state.replace("10.8.0.0", "10.7.0.0"), encoding="utf-8")
    assert router.ask("reload")["result"] == "done"
    wanted = {"10.9.0.0/16", "blackhole 10.7.0.0/16"}
    router.await_answer("the kernel has what the new file says", lambda: ours(host) == wanted)
    # Room again: the log goes on, and says what it lost.
    host.run("rm", f"{full}/filled")
    router.file.write_text("[router", encoding="utf-8")
    assert router.attempt("reload").status == 1
    router.process.signal(1)
    router.await_answer("the log says it", lambda: "not reloaded" in host.run("cat", f"{full}/log"))
    assert "lost" in host.run("cat", f"{full}/log")
    router.process.signal(15)
    assert router.process.await_end() == 0


# ----------------------------------------------------------------------------------------------------------------------
# Clocks


class TurnedClock:
    """The clocks of a daemon that runs with this environment: as much ahead as they are turned."""

    def __init__(self, folder):
        self.file = folder / "clock"
        self.file.write_bytes(bytes(16))
        self.env = {"LD_PRELOAD": str(BUILD / "tests/turnpiked/turned_clock.so"), "TURNED_CLOCK": str(self.file)}

    def turn(self, wall, monotonic=0):
        with open(self.file, "r+b") as file:
            file.write(struct.pack("=qq", wall, monotonic))


def test_a_clock_that_jumps_moves_nothing(host, tmp_path):
    clock = TurnedClock(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SOON)
        router = Router(host, tmp_path, STATIC, env=clock.env | {
            "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
        # Forward and backward; a suspended machine is one whose wall jumps, and whose monotonic clock does not. The last
        # one moves both, as a machine that was stopped and continued may.
        for wall, monotonic in ((12 * MONTH, 0), (-600 * MONTH, 0), (0, 0), (MONTH, MONTH)):
            clock.turn(wall, monotonic)
            router.await_kernel("10.9.0.0/16", "installed")
            host.ip("link set eth0 down")
            router.await_answer("the route is gone", lambda: "10.9.0.0/16" not in router.routes())
            host.ip("link set eth0 up")
            router.await_kernel("10.9.0.0/16", "installed")
            for other in ("10.7.0.0", "10.8.0.0"):
                router.write(STATIC.replace("10.8.0.0", other))
                assert router.ask("reload")["result"] == "done"
            assert 0 <= router.ask("show", "status")["up_seconds"] < 120 + monotonic // 10**9
            manager.setblocking(False)
            try:
                while manager.recv(4096):
                    pass
            except BlockingIOError:
                manager.settimeout(SOON)
            while manager.recv(4096) != b"WATCHDOG=1":
                pass
        router.process.signal(1)
        clock.turn(12 * MONTH)
        router.process.signal(15)
        assert router.process.await_end() == 0


# ----------------------------------------------------------------------------------------------------------------------
# Configurations


def broken_configurations():
    """Every wrong file that the reader's tests have, and what only the running router can refuse."""
    for path in sorted((ROOT / "tests/config/wrong").glob("*.toml")):
        yield path.stem, path.read_bytes()
    head = b'[protocol.static]\n[[protocol.static.route]]\nto = "10.9.0.0/16"\nvia = "10.0.0.2"\n'
    yield "nothing but zeros", bytes(4096)
    yield "not UTF-8", head + b'# \xff\xfe\nx = "\xc3\x28"\n'
    yield "cut off", head[:-3]
    yield "too deep", b"x = " + b"[" * 100000
    yield "a module that is a text", b'[protocol.text]\nid = 9\nlibrary = "/etc/passwd"\n'
    yield "a module that is a folder", b'[protocol.folder]\nid = 9\nlibrary = "/etc"\n'
    yield "a module that is no module", f'[protocol.c]\nid = 9\nlibrary = "{BUILD}/tests/turnpiked/turned_clock.so"\n'.encode()
    yield "a forwarder in an unknown table", b"[forwarder]\ntable = 0\n"
    for number in range(0x7F01, 0x7F06):
        yield f"fault {number:x}", (STATIC + faulty(number)).encode()


def test_a_reload_of_anything_broken_leaves_the_router_as_it_was(alone):
    before = alone.ask("show", "configuration"), ours(alone.host), alone.ask("show", "protocol")
    good = alone.file.read_bytes()
    for what, content in broken_configurations():
        alone.file.write_bytes(content if b"[router" in content else good.split(b"[interface")[0] + content)
        done = alone.attempt("reload")
        assert done.status == 1 and done.err, what
        after = alone.ask("show", "configuration"), ours(alone.host), alone.ask("show", "protocol")
        assert after == before, what
    alone.file.unlink()
    assert "No such file" in alone.attempt("reload").err
    alone.file.write_bytes(good)
    assert alone.ask("reload") == {"result": "no changes", "changes": []}
    assert (alone.ask("show", "configuration"), ours(alone.host), alone.ask("show", "protocol")) == before


def test_a_reload_changes_the_forwarder_without_a_gap(between, tmp_path):
    near, middle, far = between
    middle.ip("rule add lookup 100 priority 100", "rule add lookup 254 priority 90")
    router = Router(middle, tmp_path, STATIC)
    router.await_kernel("10.9.0.0/16", "installed")

    def table(number):
        return set(re.findall(r"^(?:blackhole )?[0-9./]+", middle.attempt(
            "ip", "route", "show", "table", str(number), "proto", "220").out, re.MULTILINE))

    both = {"10.9.0.0/16", "blackhole 10.8.0.0/16"}
    with Stream(near, far, "10.9.0.1") as stream:
        for settings in ("metric = 30", "import = false", "audit-every = \"1s\"", "table = 100", "table = 254\nmetric = 20"):
            router.write(STATIC, f"[forwarder]\n{settings}\n")
            assert router.ask("reload")["result"] == "done"
            where = 100 if "100" in settings else 254
            router.await_answer("all is there", lambda: table(where) == both)
            assert table(354 - where) == set()
        router.await_answer("a hundred packets are sent", lambda: stream.sent > 100)
    assert stream.lost() == []
    # Refused by a module: as it was.
    router.write(STATIC, "[forwarder]\ntable = 100\n", faulty(0x7F05))
    assert router.attempt("reload").status == 1
    assert table(254) == both and table(100) == set()
    router.write(STATIC, "[forwarder]\nenabled = false\n")
    assert router.ask("reload")["result"] == "done"
    assert table(254) == table(100) == set()
    router.write(STATIC)
    assert router.ask("reload")["result"] == "done"
    router.await_answer("all is there again", lambda: table(254) == both)


# ----------------------------------------------------------------------------------------------------------------------
# Modules


def test_modules_that_cannot_run_are_told_and_leave_the_others_alone(host, tmp_path):
    faults = {0x7F01: "RegisterProtocol says no", 0x7F02: "wants a newer router", 0x7F03: "has no AddInterface",
              0x7F04: "registers another protocol", 0x7F05: "StartProtocol says no"}
    router = Router(host, tmp_path, STATIC, *(faulty(number, name=f"f{number}") for number in faults),
                    f'[protocol.clock]\nid = 9\nlibrary = "{BUILD}/tests/turnpiked/turned_clock.so"\n')
    router.await_kernel("10.9.0.0/16", "installed")
    shown = {each["name"]: each for each in router.ask("show", "protocol")}
    assert shown["static"]["state"] == "running"
    assert shown["clock"]["state"] == "refused" and "has no RegisterProtocol" in shown["clock"]["reason"]
    for number, reason in faults.items():
        assert shown[f"f{number}"]["state"] == "refused" and reason in shown[f"f{number}"]["reason"]


def test_settings_of_the_wrong_size_are_not_taken(alone):
    for number in (0x7F06, 0x7F07):
        alone.write(STATIC, faulty(number))
        assert alone.ask("reload")["result"] == "done"
        alone.process.await_output("a module does not tell its global settings")
        alone.process.output = ""
        alone.write(STATIC)
        assert alone.ask("reload")["result"] == "done"
    assert int(re.search(r"VmHWM:\s+(\d+)", alone.host.run("cat", f"/proc/{alone.process.pid}/status"))[1]) < 2 << 20
    alone.write(STATIC, faulty(0x7F0B))
    assert alone.ask("reload")["result"] == "done"
    alone.process.await_output("a message that has no meaning")


def test_a_module_that_has_stopped_is_answered_no_more(alone):
    alone.write(STATIC, faulty(0x7F08))
    assert alone.ask("reload")["result"] == "done"
    alone.write(STATIC)
    assert alone.ask("reload")["result"] == "done"
    for what in ("validates a route", "wants a connection", "asks for a variable"):
        assert re.search(f"{what} after the stop.*900", alone.process.await_output(f"{what} after the stop code=900"))


def test_a_module_that_crashes_is_named_and_then_kept_out(host, tmp_path):
    clock = TurnedClock(tmp_path)
    alone = Router(host, tmp_path, STATIC, env=clock.env)
    alone.await_static()
    for wall in (0, 12 * MONTH, -12 * MONTH):  # whatever somebody sets meanwhile
        clock.turn(wall)
        alone.write(STATIC, faulty(0x7F0A))
        assert alone.ask("reload")["result"] == "done"
        alone.write(STATIC, faulty(0x7F0A, "crash"))
        alone.attempt("reload")
        assert alone.process.await_end() != 0
        assert "10.9.0.0/16" in ours(alone.host)
        alone.write(STATIC)
        alone.start()
    crashes = (alone.folder / "crashes").read_text(encoding="utf-8").split("\n")
    assert sum(line.endswith(str(FAULTY)) for line in crashes) == 3, crashes
    alone.write(STATIC, faulty(0x7F0A))
    done = alone.attempt("reload")
    assert done.status == 1 and "quarantine" in done.err
    alone.process.signal(15)
    alone.process.await_end()
    alone.start()
    assert [each["state"] for each in alone.ask("show", "protocol")] == ["running", "refused"]
    assert alone.ask("forgive", "faulty") == {"result": "running"}
    assert [each["state"] for each in alone.ask("show", "protocol")] == ["running", "running"]
    assert "there is no protocol nobody" in alone.attempt("forgive", "nobody").err
    alone.await_static()


def test_a_module_that_hangs_is_named_while_all_else_lives(host, tmp_path):
    gone = tmp_path / "gone"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SOON)
        router = Router(host, tmp_path, STATIC, faulty(0x7F09),
                        env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "2000000"})
        router.await_kernel("10.9.0.0/16", "installed")
        router.write(STATIC, faulty(0x7F09, f"hang{gone}\0"))
        done = router.attempt("reload")
        hangs = re.search(r"it is inside of module faulty \(SetGlobalInfo, for (\d+) s\)", done.err)
        assert done.status == 1 and int(hangs[1]) >= 2, done
        router.process.await_output("a module does not return from a call module=faulty function=SetGlobalInfo")
        # What needs no module is answered at once, what does says whom it waits for; the service manager hears of us.
        shown = {each["name"]: each for each in router.ask("show", "protocol")}
        assert shown["faulty"]["state"] == "hanging" and "hangs in SetGlobalInfo for" in shown["faulty"]["reason"]
        assert shown["static"]["state"] == "running"
        assert router.ask("show", "configuration")["protocol"].keys() == {"static", "faulty"}
        assert "inside of module faulty" in router.ask("show", "status")["router"]
        assert "inside of module faulty" in router.attempt("show", "interface").err
        assert router.ask("explain", "10.9.0.1")["drift"] == "none"
        for _ in range(3):
            while manager.recv(4096) != b"WATCHDOG=1":
                pass
        gone.touch()
        router.await_answer("it is over", lambda: router.ask("show", "status")["router"] == "running")
        assert {each["state"] for each in router.ask("show", "protocol")} == {"running"}
        assert router.ask("reload")["result"] == "no changes"  # what had begun went on


@pytest.mark.slow
def test_a_module_that_hangs_does_not_keep_the_daemon_from_ending(alone):
    alone.write(STATIC, faulty(0x7F09))
    assert alone.ask("reload")["result"] == "done"
    alone.write(STATIC, faulty(0x7F09, f"hang{alone.folder}/never\0"))
    assert alone.attempt("reload").status == 1
    alone.process.signal(15)
    assert alone.process.await_end() == 1
    assert ours(alone.host) == set()


@pytest.mark.slow
def test_the_sample_protocol_runs_unchanged(ground, tmp_path):
    """examples/win-sample between two routers: one has a network, the other learns it and forwards by it."""
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "192.0.2.1/24"), (right, "eth0", "192.0.2.2/24"))
    left.ip("link add inside type veth peer name other", "link set inside up", "link set other up",
            "addr add 10.99.0.1/32 dev inside")
    globally = struct.pack("=5I", 100, 2000, 0, 0, 1).hex(" ")
    here = struct.pack("=2I", 1, 0).hex(" ")
    # Without the kernel's own routes: the sample would tell its neighbour of loopback, and there refuse to hear it.
    sections = (f'[forwarder]\nimport = false\n'
                f'[protocol.nrp]\nlibrary = "{SAMPLE}"\nid = {0x3001 << 16 | 1}\nraw = "{globally}"\n'
                f'[interface.eth0]\n[interface.eth0.nrp]\nraw = "{here}"\n')
    route = '[interface.inside]\n[protocol.static]\nroute = [{ to = "10.99.0.0/16", interface = "inside" }]\n'
    routers = []
    for host, more in ((left, route), (right, "")):
        (tmp_path / host.name).mkdir()
        routers.append(Router(host, tmp_path / host.name, sections, more))

    def learnt():
        route = routers[1].routes("10.99.0.0/16").get("10.99.0.0/16", {})
        return route.get("kernel") == "installed" and route["next_hops"] == ["192.0.2.1 dev eth0"]

    # A neighbour that is kept waiting for two seconds loses it, and learns it again.
    routers[1].await_answer("it is learnt", lambda: learnt() and right.ping("10.99.0.1", within=1))
    left.ip("link set inside down")
    routers[1].await_answer("it is unlearnt", lambda: "10.99.0.0/16" not in routers[1].routes())
    for router in routers:
        router.process.signal(15)
        assert router.process.await_end() == 0
