"""FRRouting's daemons in a host of the ground."""

from ground import MEND

DAEMONS = "/usr/lib/frr"

# As an ordinary user the ground has one user and group alone, and FRRouting insists on its group: it is root's there.
PREPARE = ("mount -t tmpfs none /var/tmp && sed 's/^frrvty:.*/frrvty:x:0:root/' /etc/group >{folder}/group"
           " && mount --bind {folder}/group /etc/group")


class Frr:
    """zebra and bgpd of one host, with one configuration, as watchfrr would run them."""

    def __init__(self, host, folder, configuration, zebra=()):
        self.host, self.folder, self.zebra = host, folder, zebra
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
        for name, more in (("zebra", self.zebra), ("bgpd", ())):
            daemon = self.host.spawn(
                f"{DAEMONS}/{name}", "-u", "root", "-g", "root", "-f", self.folder / "frr.conf", "-P", "0", "-z",
                self.folder / "zserv", "-i", self.folder / f"{name}.pid", "--vty_socket", self.folder, *more)
            self.daemons.append(daemon)
            self.host.run("/bin/sh", "-c", f"until test -S {self.folder}/{name}.vty; do sleep 0.01; done")

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
