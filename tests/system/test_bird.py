"""Beside BIRD: what docs/with-bird.md says, with the real daemon."""

from recipes import block, routes_of, run_router, wire_recipe

PAGE = "with-bird.md"
HASTE = "  connect delay time 0; connect retry time 1;\n"  # a test does not want to wait
PEER = """router id 10.0.12.2;
protocol device { }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
protocol static { ipv4; route 203.0.113.0/24 blackhole; }
protocol bgp peer {
  local 10.0.12.2 as 65002;
  neighbor 10.0.12.1 as 65001;
""" + HASTE + """  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
"""


class Bird:
    def __init__(self, host, folder, configuration):
        folder.mkdir()
        self.host, self.folder = host, folder
        self.write(configuration)
        self.process = host.spawn("bird", "-f", "-c", folder / "bird.conf", "-s", folder / "ctl", "-P", folder / "pid")
        # The socket is there before anybody listens to it.
        host.run("/bin/sh", "-c", f"until birdc -s {folder}/ctl show status; do sleep 0.01; done")

    def write(self, configuration):
        (self.folder / "bird.conf").write_text(configuration, encoding="utf-8")

    def birdc(self, *words):
        return self.host.run("birdc", "-s", self.folder / "ctl", *words)


def test_routes_cross_in_both_directions(ground, tmp_path):
    router, peer, _ = wire_recipe(ground)
    configuration = block(PAGE, "/etc/bird/bird.conf`:").replace("protocol bgp peer {\n", "protocol bgp peer {\n" + HASTE)
    Bird(peer, tmp_path / "peer", PEER)
    bird = Bird(router, tmp_path / "router", configuration)
    with run_router(router) as ours:
        ours.await_output(block(PAGE, "prints what the peer announces:").strip())

        router.ip("route add 198.51.100.0/24 via 10.7.0.2")  # somebody else's, which is to stay at home
        ours.write(block(PAGE, "And a route of ours,"))
        peer.await_that("our route is with the peer", lambda: "192.0.2.0/24" in routes_of(peer, "proto", "bird"))
        shown = bird.birdc("show", "route", "all", "192.0.2.0/24")
        for line in block(PAGE, "and with the peer:").splitlines():
            assert line in shown
        assert peer.ping("192.0.2.1")
        assert "198.51.100.0/24" not in routes_of(peer)

        ours.write("add 192.0.3.0/24 via 10.7.0.9\nremove 192.0.2.0/24\n")
        peer.await_that("one comes, one goes", lambda: "192.0.3.0/24" in routes_of(peer) and "192.0.2.0/24" not in routes_of(peer))
        bird.write(configuration.replace("  learn;\n", "").replace("export where source = RTS_BGP", "export none"))
        bird.birdc(*block(PAGE, "Take `learn;` out").split()[1:])
        peer.await_that("ours are taken back", lambda: not routes_of(peer, "proto", "bird"))
        ours.await_output("- 203.0.113.0/24")
        ours.write("quit\n")
        assert ours.await_end() == 0
        assert not routes_of(router, "proto", "220")


def test_without_the_compatible_mode_bird_learns_nothing(ground, tmp_path):
    """What the page warns of: a new BIRD that can do it would make this fail, and the page want mending."""
    router, _, _ = wire_recipe(ground)
    router.sysctl("net/ipv4/nexthop_compat_mode", 0)
    bird = Bird(router, tmp_path / "router", "log stderr all;\n" + block(PAGE, "/etc/bird/bird.conf`:"))
    with run_router(router) as ours:
        ours.write(block(PAGE, "And a route of ours,"))
        bird.process.await_output("KRT: Received route 192.0.2.0/24 with unknown ifindex 4294967295")
