"""LLDP over a wire between two hosts: turnpike-lldp at both ends, and the same driver in turnpike-ndis-host."""

import json
import signal

import pytest
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


def test_two_of_ours_hear_each_other_and_say_when_they_go(wired):
    left, right = wired
    ours = left.spawn(str(LLDP), "--name", "left-box", "--interval", "30")
    other = right.spawn(str(LLDP), "--name", "right-box", "--interval", "1")
    assert "02:00:00:00:02:01" in ours.await_output('"system_name": "right-box"')
    said = other.await_output('"system_name": "left-box"')
    table = json.loads(said[said.index("{"):])
    [neighbour] = table["neighbours"]
    assert neighbour["interface"] == "eth0" and neighbour["chassis"] == "02:00:00:00:01:01"
    assert neighbour["port"] == "eth0" and neighbour["port_description"] == "eth0"
    ours.signal(signal.SIGTERM)
    assert ours.await_end() == 0
    other.await_output('{"neighbours": []}')
    other.signal(signal.SIGINT)
    assert other.await_end() == 0


def test_the_host_runs_the_driver_and_unloads_it(wired):
    left, right = wired
    other = right.spawn(str(LLDP), "--for", "60")
    host = left.spawn(str(HOST), "--checked", str(DRIVER))
    host.await_output('"protocols": 1')
    other.await_output('"port": "eth0"')
    host.signal(signal.SIGUSR1)
    host.await_output('"bindings": 1')
    left.ip("link add eth1 type veth peer name eth2")
    left.ip("link set eth1 up", "link set eth2 up")
    host.signal(signal.SIGTERM)
    assert host.await_end() == 0


def test_a_driver_that_is_none_is_named(wired):
    left, _ = wired
    done = left.attempt(str(HOST), "/no/such/driver.so")
    assert done.status == 1 and "cannot load /no/such/driver.so: error 126" in done.err
    assert left.attempt(str(HOST)).status == 2 and left.attempt(str(LLDP), "--interval", "0").status == 2
