"""Beside FRRouting: what docs/with-frr.md says, with the real daemons."""

from frr import HASTE, PEER, Frr
from recipes import block, routes_of, run_router, wire_recipe

PAGE = "with-frr.md"


def test_routes_cross_in_both_directions(ground, tmp_path):
    router, peer, _ = wire_recipe(ground)
    Frr.prepare(router, tmp_path)
    theirs = Frr(peer, tmp_path / "peer", PEER.format(neighbour="10.0.12.1") + HASTE.format(number=65002, neighbour="10.0.12.1"))
    configuration = block(PAGE, "/etc/frr/frr.conf`:")
    frr = Frr(router, tmp_path / "router", configuration + HASTE.format(number=65001, neighbour="10.0.12.2"))
    with run_router(router) as ours:
        ours.await_output(block(PAGE, "`router`, run as root").strip())
        ours.await_output("+ fd00:113::/64 bgp via")

        router.ip("route add 198.51.100.0/24 via 10.7.0.2")  # somebody else's, which is to stay at home
        frr.vtysh(block(PAGE, "`redistribute kernel` announces them"))
        ours.write(block(PAGE, "Now a route of ours,"))
        ours.write(block(PAGE, "Now a route of ours,"))
        peer.await_that("our route is with the peer", lambda: "192.0.2.0/24" in routes_of(peer, "proto", "bgp"))
        shown = block(PAGE, "is in the kernel, and with the peer:").strip()
        assert shown in frr.vtysh("show ip route 192.0.2.0/24 longer-prefixes")
        assert peer.ping("192.0.2.1")
        ours.write("add fd00:9::/64 via fd00:7::2\n")
        peer.await_that("our IPv6 route too", lambda: "fd00:9::/64" in peer.run("ip", "-6", "route", "show", "proto", "bgp"))
        assert "198.51.100.0/24" not in routes_of(peer)

        ours.write("add 192.0.3.0/24 via 10.7.0.9\nremove 192.0.2.0/24\n")
        peer.await_that("one comes, one goes", lambda: "192.0.3.0/24" in routes_of(peer) and "192.0.2.0/24" not in routes_of(peer))
        frr.vtysh(block(PAGE, "To take it back"))
        peer.await_that("they are taken back", lambda: not routes_of(peer, "proto", "bgp"))
        assert "192.0.3.0/24" in routes_of(router, "proto", "220")

        theirs.vtysh("configure terminal\nrouter bgp 65002\naddress-family ipv4 unicast\nno network 203.0.113.0/24\nend")
        ours.await_output("- 203.0.113.0/24")
        ours.write("quit\n")
        assert ours.await_end() == 0
        assert not routes_of(router, "proto", "220")
