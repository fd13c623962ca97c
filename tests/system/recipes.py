"""The blocks of docs/with-*.md, for tests that do what these pages say: what is shown and what is run cannot differ."""

from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROUTER = Path(__file__).resolve().parents[2] / "build/dev/examples/router"


def block(page, *after):
    """The block of a page that follows the lines holding these words, in this order."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    at = 0
    for words in after:
        found = [number for number in range(at, len(lines)) if words in lines[number]]
        assert found, f"{page} no longer says: {words}"
        at = found[0] + 1
    begin = next(number for number in range(at, len(lines)) if lines[number] == "```") + 1
    end = next(number for number in range(begin, len(lines)) if lines[number] == "```")
    return "\n".join(lines[begin:end]) + "\n"


def wire_recipe(ground, extra=None):
    """The router of the recipes with its links up0 and in0, its peer, and a host inside that has 192.0.2.1; with `extra`,
    a host's name and address, another on the link between router and peer."""
    ground.need("veth", "nexthop", *(["bridge"] if extra else []))
    router, peer, inside = (ground.host(name) for name in ("router", "peer", "inside"))
    ends = [(router, "up0", "10.0.12.1/24", "fd00:12::1/64"), (peer, "eth0", "10.0.12.2/24", "fd00:12::2/64")]
    if extra:
        ground.bridge("switch", *ends, (ground.host(extra[0]), "eth0", extra[1]))
    else:
        ground.wire(*ends)
    ground.wire((router, "in0", "10.7.0.1/24", "fd00:7::1/64"), (inside, "eth0", "10.7.0.2/24", "fd00:7::2/64"))
    router.forward()
    inside.ip("route add default via 10.7.0.1", "addr add 192.0.2.1/24 dev lo")
    peer.ip("addr add 203.0.113.1/24 dev lo")
    return router, peer, inside


def run_router(host):
    """The router of the recipes: spawned to talk."""
    return host.spawn(ROUTER, talk=True)


def routes_of(host, *selection):
    return host.run("ip", "route", "show", *selection)
