"""turnpike(1) without a router: errors explained, the machine examined, words checked."""

import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "build/dev/apps/turnpike"


def turnpike(*words, status=0):
    done = subprocess.run([PROGRAM, *words], text=True, capture_output=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status in (0, 1) and done.stdout else done.stderr


@pytest.mark.parametrize("word", ["ERROR_NO_SUCH_INTERFACE", "error_no_such_interface", "905", "0x389"])
def test_an_error_is_explained_by_name_and_number(word):
    found = json.loads(turnpike("-j", "explain", word))
    assert found["name"] == "ERROR_NO_SUCH_INTERFACE" and found["number"] == 905
    assert found["means"] and found["next_step"]
    assert turnpike("explain", word).splitlines()[:2] == ["name       ERROR_NO_SUCH_INTERFACE", "number     905"]


def test_every_error_that_a_header_names_is_explained():
    for number in (0, 2, 5, 6, 87, 600, 900, 1168, 1780):
        assert json.loads(turnpike("-j", "explain", str(number)))["number"] == number


def test_an_error_that_there_is_not_is_told_with_the_nearest():
    assert "did you mean `ERROR_BUSY`?" in turnpike("explain", "ERROR_BUSI", status=1)
    assert "no header names" in turnpike("explain", "4000000000", status=1)


@pytest.mark.parametrize("words, said", [
    (["sho", "route"], "did you mean `show route`?"),
    (["show", "rout"], "did you mean `show route`?"),
    (["explain"], "turnpike explain ADDRESS|ERROR"),
    (["doctor", "now"], "turnpike doctor"),
    (["--wrong"], "there is no option --wrong"),
    ([], "usage: turnpike"),
])
def test_wrong_words_are_told(words, said):
    assert said in turnpike(*words, status=2)


def test_that_no_router_answers_is_told(tmp_path):
    assert "no router answers" in turnpike("-s", str(tmp_path / "control"), "show", "route", status=3)


def test_the_doctor_says_which_right_ndis_drivers_lack(ground):
    host = ground.host("a")
    needs = ("packet sockets (AF_PACKET)", "AF_XDP", "the right CAP_NET_RAW", "the right CAP_BPF", "to open /dev/net/tun")
    all_of = lambda done: {each["needs"]: each for each in json.loads(done.out)}  # noqa: E731
    findings = all_of(host.attempt(PROGRAM, "-j", "doctor"))
    assert set(needs) <= set(findings)
    assert findings["packet sockets (AF_PACKET)"]["state"] == "good"
    without = ("setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw", PROGRAM, "-j", "doctor")
    denied = all_of(host.attempt(*without))
    assert denied["packet sockets (AF_PACKET)"]["state"] == "note"
    assert "it lacks CAP_NET_RAW" in denied["packet sockets (AF_PACKET)"]["found"]
    assert denied["the right CAP_NET_RAW"]["state"] == "note"


def test_the_doctor_finds_what_a_namespace_lacks(ground):
    host = ground.host("a")
    host.sysctl("net/ipv4/ip_forward", 0)
    host.sysctl("net/ipv6/conf/all/forwarding", 1)
    done = host.attempt(PROGRAM, "-j", "doctor")
    findings = {each["needs"]: each for each in json.loads(done.out)}
    assert done.status == 1
    assert findings["net.ipv4.ip_forward = 1"]["state"] == "missing"
    assert "sysctl net.ipv4.ip_forward=1" in findings["net.ipv4.ip_forward = 1"]["remedy"]
    assert findings["net.ipv6.conf.all.forwarding = 1"]["state"] == "good"
    assert findings["Linux 5.3, with next hops as objects"]["state"] == "good"
    host.sysctl("net/ipv4/ip_forward", 1)
    assert host.attempt(PROGRAM, "doctor").status == 0
