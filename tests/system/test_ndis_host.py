"""turnpike-ndis-host with drivers that do what no driver may: what it then says, and that it can be ended."""

import json
import signal
import subprocess
import time

import pytest
from ground import SOON, GroundError
from turnpiked import BUILD, ROOT

HOST = BUILD / "apps" / "turnpike-ndis-host"
LLDP = BUILD / "drivers" / "lldp.so"
# So that a crash is one, and not a sanitizer's report.
AS_INSTALLED = {"ASAN_OPTIONS": "handle_segv=0:detect_leaks=0", "UBSAN_OPTIONS": "handle_segv=0"}


def build(source, target):
    subprocess.run(["g++", "-std=c++20", "-shared", "-fPIC", "-g", "-DNDIS50=1", f"-I{ROOT / 'include/win'}", f"-I{ROOT / 'include'}",
                    "-o", target, source], check=True)
    return target


@pytest.fixture(scope="module", name="driver")
def fixture_driver(tmp_path_factory):
    return build(ROOT / "tests/system/hostile_driver.cpp", tmp_path_factory.mktemp("driver") / "hostile.so")


@pytest.fixture(name="wired")
def fixture_wired(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    return left, right


def start(host, driver, hostile="", *words):
    return host.spawn(HOST, *words, driver, env={**AS_INSTALLED, "HOSTILE": hostile})


def state_of(process):
    """What it shows next."""
    said = process.await_output("]}\n")
    process.output = ""
    return json.JSONDecoder().raw_decode(said, said.index('{"protocols"'))[0]  # behind it may stand what came since


def shown_again(process):
    process.signal(signal.SIGUSR1)
    return state_of(process)


def await_binding(process, there):
    """Asks it until there is what was waited for."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        shown = shown_again(process)
        if shown["each"] and there(shown["each"][0]):
            return
    raise GroundError(f"waited in vain: {shown}")


def signal_until(process, text):
    """Tells it to end again and again: what follows within half a second counts as one."""
    for _ in range(int(SOON / 0.1)):
        process.signal(signal.SIGTERM)
        try:
            return process.await_output(text, within=0.1)
        except GroundError as error:
            if "did not write" not in str(error):
                raise
    raise GroundError(f"no {text!r} in {process.output}")


def end(process, status=0):
    process.signal(signal.SIGTERM)
    assert process.await_end() == status, process.output


def test_an_honest_driver_is_shown_with_its_binding_and_goes(wired, driver):
    left, right = wired
    host = start(left, driver)
    [binding] = state_of(host)["each"]
    assert (binding["protocol"], binding["interface"], binding["state"], binding["ndis"], binding["filter"]) == ("HOSTILE", "eth0", "running", 5, 8)
    right.inject("eth0", b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(46))
    await_binding(host, lambda binding: binding["delivered"] >= 1)
    end(host)


def test_a_driver_is_configured_and_heard(wired, driver):
    left, _ = wired
    host = start(left, driver, "", "--debug", "--set", "Hostile\\Parameters\\Greeting=good = day")
    host.await_output("driver: configured: <good = day>")
    state_of(host)
    end(host)
    for wrong in ("Greeting=x", "Hostile\\Parameters", "\\=x"):
        assert left.attempt(HOST, "--set", wrong, driver, env=AS_INSTALLED).status == 2, wrong


@pytest.mark.parametrize("hostile, said", [
    ("refuses", "its DriverEntry failed with 0xc00000a3"),
    ("fails after it registered", "its DriverEntry failed with 0xc000009a"),
])
def test_a_driver_that_refuses_is_named_with_its_status(wired, driver, hostile, said):
    left, _ = wired
    done = left.attempt(HOST, driver, env={**AS_INSTALLED, "HOSTILE": hostile})
    assert done.status == 1 and f"cannot load {driver}" in done.err and said in done.err, done
    assert ("left a protocol registered" in done.err) == (hostile == "fails after it registered"), done


def test_what_is_no_driver_is_told_apart(wired, driver, tmp_path):
    left, _ = wired
    text = tmp_path / "text.so"
    text.write_text("no shared object\n")
    empty = tmp_path / "empty.cpp"
    empty.write_text("int nothing;\n")
    none = build(empty, tmp_path / "none.so")
    for words, said in [((text,), ["too short", "error 126: no shared object"]), ((none,), ["error 127: no driver: it exports no DriverEntry"]),
                        ((driver, driver), ["error 183: it is loaded already"]), ((driver, "/no/such.so"), ["No such file", "cannot load /no/such.so: error 126"])]:
        done = left.attempt(HOST, *words, env=AS_INSTALLED)
        assert done.status == 1 and all(each in done.err for each in said), done


def test_two_drivers_run_beside_each_other(wired, driver):
    left, _ = wired
    host = left.spawn(HOST, driver, LLDP, env=AS_INSTALLED)
    assert sorted(each["protocol"] for each in state_of(host)["each"]) == ["HOSTILE", "TPLLDP"]
    end(host)


@pytest.mark.parametrize("hostile", ["crash in DriverEntry", "crash on a frame"])
def test_a_crash_says_in_whose_code(wired, driver, hostile):
    left, right = wired
    host = start(left, driver, hostile)
    if hostile == "crash on a frame":
        state_of(host)
        right.inject("eth0", b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(46))
    host.await_output(f"turnpike-ndis-host: SEGV in {driver}+0x")
    assert host.await_end() == 128 + signal.SIGSEGV


@pytest.mark.parametrize("hostile, where", [("throws in DriverEntry", "DriverEntry"), ("throws in unbind", "unbind")])
def test_an_exception_is_named(wired, driver, hostile, where):
    left, _ = wired
    host = start(left, driver, hostile)
    if where == "unbind":
        state_of(host)
        host.signal(signal.SIGTERM)
    host.await_output("an exception has left a callback of a driver")
    host.await_output(f"thrown in {where}")
    assert host.await_end() == 128 + signal.SIGABRT


@pytest.mark.parametrize("hostile", ["has no unload", "stays registered"])
def test_a_driver_that_cannot_be_unloaded_is_named(wired, driver, hostile):
    left, _ = wired
    host = start(left, driver, hostile)
    state_of(host)
    host.signal(signal.SIGTERM)
    host.await_output(f"cannot unload {driver}: error 31: it has no unload routine")
    assert host.await_end() == 1


def test_what_a_driver_leaves_behind_is_ended_and_named(wired, driver):
    left, _ = wired
    host = start(left, driver, "leaves timers")
    state_of(host)
    host.signal(signal.SIGTERM)
    host.await_output("left a timer set: it is cancelled")
    assert host.await_end() == 0


def test_a_work_item_is_waited_for(wired, driver):
    left, _ = wired
    host = start(left, driver, "leaves a work item")
    state_of(host)
    end(host)  # and not by SIGSEGV: its code is there until it has returned


@pytest.mark.parametrize("hostile", ["stuck in DriverEntry", "stuck in bind", "keeps frames"])
def test_a_stuck_driver_is_seen_and_a_second_signal_ends_it(wired, driver, hostile):
    left, right = wired
    host = start(left, driver, hostile)
    if hostile == "keeps frames":
        state_of(host)
        right.inject("eth0", b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(46))
        await_binding(host, lambda binding: binding["retained"] >= 1)
    else:
        host.await_output("the driver stays")
        assert shown_again(host)["bindings"] == 0
    host.signal(signal.SIGTERM)
    host.await_output("a second signal ends it at once")
    if hostile == "keeps frames":
        await_binding(host, lambda binding: binding["state"] == "closing")
    signal_until(host, "ends at once, with drivers that are not unloaded")
    assert host.await_end() == 1
