"""The daemon as a whole: it runs static routes over the real kernel, reloads, refuses, stops, and says what it does."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from ground import SOON
from turnpiked import BUILD, COMMAND, DAEMON, STATIC, Router, text


@pytest.fixture
def wired(ground):
    """A host with a neighbour on eth0, which has 10.9.0.1."""
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24", "10.9.0.1/16"))
    return left, right


def test_static_routes_are_in_the_kernel_while_their_link_is_up(wired, tmp_path):
    left, _ = wired
    router = Router(left, tmp_path, STATIC)
    router.await_static()
    assert left.ping("10.9.0.1")
    route = router.routes("10.9.0.0/16")["10.9.0.0/16"]
    assert route["protocol"] == "static" and route["preference"] == 3 and route["next_hops"] == ["10.0.0.2 dev eth0"]
    assert "blackhole 10.8.0.0/16" in left.run("ip", "route")
    assert re.search("2001:db8:9::/48 .*via fe80::2 dev eth0", left.run("ip", "-6", "route"))
    left.ip("link set eth0 down")
    router.await_answer("the route is gone", lambda: "10.9.0.0/16" not in router.routes())
    assert "blackhole 10.8.0.0/16" in left.run("ip", "route")
    left.ip("link set eth0 up")
    router.await_kernel("10.9.0.0/16", "installed")
    router.process.signal(15)
    assert router.process.await_end() == 0
    assert "10.9.0.0/16" not in left.run("ip", "route")
    assert not (tmp_path / "control").exists()


def test_a_reload_changes_what_differs_and_a_broken_file_changes_nothing(wired, tmp_path):
    left, _ = wired
    router = Router(left, tmp_path, STATIC)
    router.await_kernel("10.9.0.0/16", "installed")
    assert router.ask("reload") == {"result": "no changes", "changes": []}
    router.write(STATIC.replace("10.8.0.0", "10.7.0.0"))
    assert router.ask("check")["changes"] == router.ask("reload")["changes"]
    assert set(router.routes()) >= {"10.9.0.0/16", "10.7.0.0/16"} and "10.8.0.0/16" not in router.routes()
    for broken, said in [(STATIC.replace('to = "10.8', 'too = "10.8'), "did you mean `to`?"),
                         (STATIC.replace('via = "fe80::2"', 'via = "10.0.0.2"'), "another family"),
                         ("[protocol.static]\nlibrary = \"/no/such.so\"\n", "cannot be used"),
                         ("[interface", "is missing")]:
        router.write(broken)
        done = router.attempt("reload")
        assert done.status == 1 and said in done.err and str(router.file) in done.err
        assert set(router.routes()) >= {"10.9.0.0/16", "10.7.0.0/16"}
    router.process.signal(1)  # of a broken file: the loop takes it before the question
    assert router.ask("show", "status")["protocols"] == 1
    router.write(STATIC)
    assert router.ask("reload")["result"] == "done"
    router.write("")
    assert router.ask("reload")["result"] == "done"
    router.await_answer("the module is gone", lambda: router.ask("show", "protocol") == [])
    assert "10.9.0.0/16" not in router.routes()


def test_what_is_shown(wired, tmp_path):
    left, _ = wired
    router = Router(left, tmp_path, STATIC)
    router.await_static()
    interfaces = {each["name"]: each for each in router.ask("show", "interface")}
    assert interfaces["eth0"]["state"] == "connected" and interfaces["eth0"]["addresses"][0] == "10.0.0.1/24"
    assert interfaces["eth1"]["state"] == "unreachable" and interfaces["eth1"]["reasons"] == ["no device"]
    protocol = router.ask("show", "protocol", "static")
    assert protocol["protocol"]["state"] == "running"
    assert [each["to"] for each in protocol["settings"]["route"]] == ["10.9.0.0/16", "10.8.0.0/16", "2001:db8:9::/48"]
    assert protocol["counts"] == {"configured": 3, "active": 3}
    assert [(each["to"], each["active"]) for each in protocol["rows"]][0] == ("10.9.0.0/16", True)
    assert len(protocol["rows"]) == 3
    assert any(each["protocol"] == "static" and each["routes"] == 2 for each in router.ask("show", "entity"))
    assert "IPv4 not forwarded" in router.ask("show", "status")["multicast"] and router.ask("show", "multicast") == []
    assert router.ask("show", "configuration")["router"]["control"] == f"{tmp_path}/control"
    found = router.ask("explain", "10.9.0.1")
    assert found["forwarder"] == "installed" and "via 10.0.0.2 dev eth0" in found["kernel"]
    assert found["kernel_route"] == "10.9.0.0/16 of protocol 220, table 254" and found["drift"] == "none"
    assert found["routes"][0]["destination"] == "10.9.0.0/16" and found["routes"][0]["verdict"] == "wins"
    assert "no route covers it" == router.ask("explain", "203.0.113.1")["forwarder"]
    assert router.attempt("explain", "nonsense").status == 1
    assert router.attempt("show", "interface", "eth9").err == "turnpike: there is no interface eth9\n"
    table = router.attempt("show", "route", "10.0.0.0/8").out.splitlines()
    assert table[0].split()[:4] == ["DESTINATION", "BEST", "PROTOCOL", "PREFERENCE"]


def test_routes_come_in_pages_and_by_their_owner(wired, tmp_path):
    left, _ = wired
    many = "".join(f'[[protocol.static.route]]\nto = "10.{i // 250}.{i % 250}.0/24"\nvia = "10.0.0.2"\n' for i in range(100, 1100))
    router = Router(left, tmp_path, STATIC + many)
    router.await_answer("all are there", lambda: router.ask("show", "status")["installed"] >= 1003)
    shown = router.ask("show", "route")
    assert len({each["destination"] for each in shown}) == len(shown) > 1003
    by_static = router.ask("show", "route", "protocol", "static")
    assert len(by_static) == 1003 and {each["protocol"] for each in by_static} == {"static"}
    assert by_static == router.ask("show", "route", "protocol", "10006")
    within = router.ask("show", "route", "10.2.0.0/16", "protocol", "static")
    assert len(within) == 250 and all(each["destination"].startswith("10.2.") for each in within)
    assert router.ask("show", "route", "10.2.0.0/16", "protocol", "rip") == []
    lines = router.attempt("show", "route", "protocol", "static").out.splitlines()
    assert len(lines) == 1004 and sum(line.startswith("DESTINATION") for line in lines) == 1
    assert len({line.index("static") for line in lines[1:]}) <= 2  # one table, wider where a later page needs it
    assert "there is no protocol nobody" in router.attempt("show", "route", "protocol", "nobody").err
    assert router.attempt("show", "route", "10.2.0.0/16", "static").status == 1


def test_explain_says_why_each_lost_and_where_the_kernel_differs(wired, tmp_path):
    left, _ = wired
    worse = '[[protocol.static.route]]\nto = "10.9.0.0/16"\nvia = "10.0.0.3"\nmetric = 7\n'
    default = '[[protocol.static.route]]\nto = "0.0.0.0/0"\nvia = "10.0.0.2"\n'
    left.ip("route add 10.9.0.0/16 via 10.0.0.4 metric 3000")
    router = Router(left, tmp_path, STATIC + worse + default)
    router.await_kernel("10.9.0.0/16", "installed")
    found = router.ask("explain", "10.9.0.1")
    verdicts = [(each["destination"], each["protocol"], each["verdict"]) for each in found["routes"]]
    assert verdicts[0] == ("10.9.0.0/16", "static", "wins")
    assert ("10.9.0.0/16", "static", "its metric is higher: 7 against 1") in verdicts
    assert ("10.9.0.0/16", "netmgmt", "its preference is higher: 10 against 3") in verdicts
    assert verdicts[-1] == ("0.0.0.0/0", "static", "a longer prefix is there: 10.9.0.0/16") and found["drift"] == "none"
    left.ip("rule add to 10.9.0.0/16 lookup 77", "route add 10.9.0.0/24 via 10.0.0.9 table 77")
    assert "10.9.0.0/24 of protocol 3, table 77" in router.ask("explain", "10.9.0.1")["drift"]
    assert router.ask("explain", "10.8.0.1")["drift"] == "none"


def test_preferences_decide_whose_route_is_used(wired, tmp_path):
    left, _ = wired
    left.ip("route add 10.9.0.0/16 via 10.0.0.4 metric 3000")
    router = Router(left, tmp_path, STATIC)
    router.await_kernel("10.9.0.0/16", "installed")
    assert router.ask("show", "protocol")[0]["preference"] == 3
    router.write("[preferences]\nstatic = 20\n" + STATIC)
    assert router.ask("reload")["changes"] == ["preferences.static: 20, was 3"]
    assert router.ask("show", "protocol")[0]["preference"] == 20
    assert router.routes("10.9.0.0/16")["10.9.0.0/16"]["protocol"] == "netmgmt"
    assert router.routes("2001:db8:9::/48")["2001:db8:9::/48"]["preference"] == 20
    router.await_answer("the kernel has the other one", lambda: "10.9.0.0/16 via 10.0.0.2" not in left.run("ip", "route"))
    router.write("[preferences]\nstatic = 0\nsttaic = 1\n" + STATIC)
    refused = router.attempt("reload")
    assert refused.status == 1 and "turnpike.toml:6:10: `static` is 1 to 4294967295" in refused.err
    assert "turnpike.toml:7:1: there is no setting `sttaic` here; did you mean `static`?" in refused.err
    assert router.ask("show", "protocol")[0]["preference"] == 20
    router.write(STATIC)
    assert router.ask("reload")["result"] == "done"
    router.await_kernel("10.9.0.0/16", "installed")
    assert router.routes("10.9.0.0/16")["10.9.0.0/16"]["preference"] == 3


def test_monitor_tells_what_changes(wired, tmp_path):
    left, _ = wired
    router = Router(left, tmp_path, STATIC)
    router.await_kernel("10.9.0.0/16", "installed")
    with left.spawn(COMMAND, "-j", "-s", tmp_path / "control", "monitor") as monitor:
        monitor.await_output("watching")
        left.ip("link set eth0 down")
        monitor.await_output('"interface":"eth0"')
        monitor.await_output('{"event":"route gone","destination":"10.9.0.0/16"}')


def test_a_monitor_is_told_also_where_another_has_just_left(wired, tmp_path):
    left, _ = wired
    Router(left, tmp_path, STATIC)
    for number in range(20):
        with left.spawn(COMMAND, "-j", "-s", tmp_path / "control", "monitor") as monitor:
            monitor.await_output("watching")
            left.ip(f"route add 10.66.{number}.0/24 dev eth0")
            monitor.await_output(f'"destination":"10.66.{number}.0/24"')


def test_a_service_manager_is_told(wired, tmp_path):
    left, _ = wired
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(SOON)
        router = Router(left, tmp_path, STATIC, env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "200000"})
        told = [manager.recv(4096).decode() for _ in range(4)]
        assert told[0].startswith("READY=1") and set(told[1:]) == {"WATCHDOG=1"}
        router.process.signal(1)
        while not (line := manager.recv(4096).decode()).startswith("RELOADING=1"):
            assert line == "WATCHDOG=1"
        assert re.search(r"MONOTONIC_USEC=\d+", line)
        while not (line := manager.recv(4096).decode()).startswith("READY=1"):
            pass
        router.process.signal(15)
        while manager.recv(4096).decode() != "STOPPING=1":
            pass
    assert router.process.await_end() == 0


def test_a_module_that_crashed_again_and_again_is_not_loaded(wired, tmp_path):
    left, _ = wired
    library = BUILD / "modules/static.so"
    run = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
    seconds, nanoseconds = divmod(library.stat().st_ctime_ns, 10**9)
    file = f"{library.stat().st_ino}:{seconds}.{nanoseconds}"
    line = f"{run} {int(time.monotonic())} {file} {library}\n"
    (tmp_path / "crashes").write_text(line * 3, encoding="utf-8")
    router = Router(left, tmp_path, STATIC)
    refused = router.ask("show", "protocol")[0]
    assert refused["state"] == "refused" and "quarantine" in refused["reason"]
    assert "10.8.0.0/16" not in router.routes()


def test_it_gives_away_what_it_does_not_need(wired, tmp_path):
    left, _ = wired
    router = Router(left, tmp_path)
    status = left.run("cat", f"/proc/{router.process.pid}/status")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    kept = 1 << 12 | 1 << 13  # CAP_NET_ADMIN, CAP_NET_RAW
    assert int(lines["CapEff"], 16) == int(lines["CapPrm"], 16) == kept
    assert int(lines["CapBnd"], 16) == kept and lines["NoNewPrivs"].strip() == "1"


def test_it_does_not_run_without_the_right(tmp_path):
    (tmp_path / "turnpike.toml").write_text(text(tmp_path), encoding="utf-8")
    command = [DAEMON, "--config", tmp_path / "turnpike.toml"]
    if os.geteuid() == 0:
        command = ["setpriv", "--bounding-set=-net_admin", *command]
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=60)
    assert done.returncode == 1 and "CAP_NET_ADMIN" in done.stderr


def test_the_program_has_nothing_that_the_library_has():
    """One process, one world: a function of the library that the program had as well would be the modules' too."""
    names = [set(re.findall(r" [TBDRVW] ((?:tp_|Tp|Rtm|Mgm|Mpr)\w+)$", subprocess.run(
        ["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout, re.MULTILINE))
             for path in (DAEMON, BUILD / "src/libturnpike.so")]
    assert len(names[1]) > 500 and names[0] == set()


def test_check_tells_everything_that_is_wrong_and_touches_nothing(tmp_path):
    file = tmp_path / "turnpike.toml"
    file.write_text(text(tmp_path, STATIC), encoding="utf-8")
    assert subprocess.run([DAEMON, "--check", file], check=True, capture_output=True, text=True).stdout == f"{file}: good\n"
    file.write_text(text(tmp_path, STATIC.replace("via", "vai").replace("type", "tyype")), encoding="utf-8")
    done = subprocess.run([DAEMON, "--check", file], check=False, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("did you mean") == 3 and f"{file}:10:1: " in done.stderr
    done = subprocess.run([DAEMON, "--check", tmp_path / "absent"], check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "No such file" in done.stderr


def test_a_module_tells_its_settings():
    out = subprocess.run([DAEMON, "--describe", BUILD / "modules/static.so"], check=True, capture_output=True, text=True).stdout
    assert out.startswith("static 1.0: ") and "route.metric   whole number, 0 to 2147483647, default 1" in out
    done = subprocess.run([DAEMON, "--describe", "/no/such.so"], check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "/no/such.so" in done.stderr


def test_the_manual_pages_have_every_command_and_setting():
    for page, words in [("turnpike.1", ["show route", "explain ADDRESS|ERROR", "doctor"]),
                        ("turnpike.toml.5", ["sweep-after", "route.preference", "[interface.NAME]", "blackhole"]),
                        ("turnpiked.8", ["SIGHUP", "--check"]), ("turnpike-keeper.8", ["--for"]),
                        ("turnpike-lldp.8", ["--interval", "seconds_left"]), ("turnpike-capture.8", ["--snap-length", "extcap"]), ("turnpike-ndis-host.8", ["--checked", "SIGUSR1"]),
                        ("turnpike.toml.5", ["[multicast]", "mstatic", "wrong-interface", "route.from"])]:
        shown = subprocess.run(["groff", "-man", "-rHY=0", "-Tutf8", "-ww", BUILD / "man" / page], check=True, capture_output=True,
                               text=True, env={**os.environ, "GROFF_NO_SGR": "1"})
        plain = re.sub(".\b", "", shown.stdout).replace("‐", "-").replace("−", "-")
        assert shown.stderr == "" and all(word in plain for word in words), page + shown.stderr


@pytest.mark.parametrize("unit", ["turnpiked", "turnpike-keeper"])
def test_the_units_expose_little(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager",
                           BUILD / f"apps/{unit}.service"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
