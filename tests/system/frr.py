"""FRRouting's daemons in a host of the ground."""

from ground import MEND

DAEMONS = "/usr/lib/frr"

# Of the peer in docs/with-frr.md, whose neighbour is `neighbour`.
PEER = """router bgp 65002
 bgp router-id 10.0.12.2
 no bgp ebgp-requires-policy
 no bgp network import-check
 neighbor {neighbour} remote-as 65001
 address-family ipv4 unicast
  network 203.0.113.0/24
 exit-address-family
 address-family ipv6 unicast
  network fd00:113::/64
  neighbor {neighbour} activate
 exit-address-family
exit
"""

# A test does not want to wait two minutes for a second try.
HASTE = """router bgp {number}
 neighbor {neighbour} timers connect 1
exit
"""

# As an ordinary user the ground has one user and group alone, and FRRouting insists on its group: it is root's there.
PREPARE = ("mount -t tmpfs none /var/tmp && sed 's/^frrvty:.*/frrvty:x:0:root/' /etc/group >{folder}/group"
           " && mount --bind {folder}/group /etc/group")


class Frr:
    """zebra and another daemon of one host, with one configuration, as watchfrr would run them."""

    def __init__(self, host, folder, configuration, zebra=(), other="bgpd"):
        self.host, self.folder, self.zebra, self.other = host, folder, zebra, other
        self.daemons = []
        folder.mkdir()
        (folder / "frr.conf").write_text(configuration, encoding="utf-8")
        (folder / "vtysh.conf").write_text("", encoding="utf-8")
        self.start()

    @staticmethod
    def prepare(host, folder):
        """Once for a ground, before the first."""
        assert host.attempt("test", "-x", f"{DAEMONS}/zebra").status == 0, f"frr is not installed; {MEND}"
        host.run("/bin/sh", "-c", PREPARE.format(folder=folder))

    def start(self):
        for name, more in (("zebra", self.zebra), (self.other, ())):
            daemon = self.host.spawn(
                f"{DAEMONS}/{name}", "-u", "root", "-g", "root", "-f", self.folder / "frr.conf", "-P", "0", "-z",
                self.folder / "zserv", "-i", self.folder / f"{name}.pid", "--vty_socket", self.folder, *more)
            self.daemons.append(daemon)
            # The socket is there before anybody listens to it.
            asked = f"vtysh --config_dir {self.folder} --vty_socket {self.folder} -d {name} -c 'show version'"
            self.host.run("/bin/sh", "-c", f"until {asked}; do sleep 0.01; done")

    def kill(self):
        for daemon in self.daemons:
            with daemon:
                pass  # which kills it
        self.daemons = []
        for path in self.folder.glob("*.vty"):
            path.unlink()

    def vtysh(self, lines):
        """Types these lines."""
        words = [word for line in lines.splitlines() if line.strip() for word in ("-c", line.strip())]
        return self.host.run("vtysh", "--config_dir", self.folder, "--vty_socket", self.folder, *words)
