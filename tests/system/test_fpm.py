"""zebra's routes without a kernel in between: what docs/with-frr.md says of it, with the real zebra."""

import time

import pytest
from frr import HASTE, PEER, Frr
from ground import SOON
from recipes import block, routes_of, run_router, wire_recipe

PAGE = "with-frr.md"
MODULE = block(PAGE, "zebra's module, in").split('"')[1].split()  # -A …, -s …, -M dplane_fpm_nl
SESSION = """router bgp 65001
 bgp router-id 10.0.12.3
 no bgp ebgp-requires-policy
 neighbor 10.0.12.2 remote-as 65002
exit
""" + HASTE.format(number=65001, neighbour="10.0.12.2")
ANNOUNCE = "configure terminal\nrouter bgp 65002\naddress-family ipv4 unicast\n{}\nend"


@pytest.fixture
def scene(ground, tmp_path):
    """The router, its peer with BGP, and beside them on their link a host `control`, where FRRouting is to run."""
    router, peer, inside = wire_recipe(ground, extra=("control", "10.0.12.3/24"))
    control = ground.host("control")
    Frr.prepare(router, tmp_path)
    peer.ip("route add 10.7.0.0/24 via 10.0.12.1")
    theirs = Frr(peer, tmp_path / "peer", PEER.format(neighbour="10.0.12.3") + HASTE.format(number=65002, neighbour="10.0.12.3"))
    return router, theirs, control, inside


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "no fpm use-next-hop-groups\n"], ids=["next-hop-objects", "next-hops-in-routes"])
def test_its_routes_are_written_here_and_survive_its_restart(scene, tmp_path, more):
    router, theirs, control, inside = scene
    with run_router(router) as ours:
        ours.write(block(PAGE, "On the router, a line for"))
        ours.await_output("listening at port 2620")
        frr = Frr(control, tmp_path / "control", more + block(PAGE, "In its `/etc/frr/frr.conf`") + SESSION, zebra=MODULE)
        ours.await_output("a sender of routes has connected")
        ours.await_output("+ 203.0.113.0/24 bgp via 10.0.12.2\n")
        router.await_that("it is in the kernel", lambda: "203.0.113.0/24" in routes_of(router, "proto", "220"))
        assert inside.ping("203.0.113.1")

        frr.kill()
        ours.await_output("connection")
        assert inside.ping("203.0.113.1"), "its routes stand"
        theirs.vtysh(ANNOUNCE.format("no network 203.0.113.0/24\nnetwork 203.0.114.0/24"))
        control.ip("route del 203.0.113.0/24")  # FRRouting 10 takes what its former life left in its own kernel for news
        frr.start()
        ours.await_output("+ 203.0.114.0/24 bgp via 10.0.12.2\n")
        assert "203.0.113.0/24" in routes_of(router, "proto", "220"), "nobody has said that all was sent"
        ours.write("sent\n")
        router.await_that("what was not sent again goes", lambda: [line.split()[0] for line in routes_of(router, "proto", "220").splitlines()] == ["203.0.114.0/24"])
        ours.await_output("- 203.0.113.0/24")

        theirs.vtysh(ANNOUNCE.format("no network 203.0.114.0/24"))
        ours.await_output("- 203.0.114.0/24")
        router.await_that("it is gone", lambda: not routes_of(router, "proto", "220"))
        frr.vtysh(block(PAGE, "To undo it"))
        ours.write("quit\n")
        assert ours.await_end() == 0


def test_a_zebra_on_the_router_itself_writes_its_routes_alone(scene, tmp_path):
    router, theirs, _, inside = scene
    theirs.vtysh("configure terminal\nrouter bgp 65002\nneighbor 10.0.12.1 remote-as 65001\nneighbor 10.0.12.1 timers connect 1\nend")
    with run_router(router) as ours:
        ours.write("fpm 2620 table-only\n")
        ours.await_output("listening at port 2620")
        Frr(router, tmp_path / "router", "fpm address 127.0.0.1\n" + SESSION.replace("10.0.12.3", "10.0.12.1"), zebra=MODULE)
        ours.await_output("a sender of routes has connected")
        router.await_that("zebra has written it", lambda: "203.0.113.0/24" in routes_of(router, "proto", "bgp"))
        ours.await_output("+ 203.0.113.0/24 bgp via 10.0.12.2 dev up0\n")
        assert inside.ping("203.0.113.1")
        end = time.monotonic() + SOON
        while "fpm: connected, 1 routes, 0 of them stale" not in ours.output:  # what comes by FPM comes in its own time
            assert time.monotonic() < end, ours.output
            ours.output = ""
            ours.write("status\n")
            ours.await_output("of them stale")
        assert "0 routes of ours in the kernel, 0 failed, 0 in conflict" in ours.output
