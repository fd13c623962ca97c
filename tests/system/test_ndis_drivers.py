"""A driver from Windows, built, loaded, looked at and debugged: what docs/ndis-drivers.md says, by its own blocks."""

import shutil
import signal

import pytest
from ground import SOON, GroundError
from recipes import block
from turnpiked import BUILD, ROOT

PAGE = "ndis-drivers.md"


@pytest.fixture(name="workplace")
def fixture_workplace(tmp_path, ground):
    """Two hosts on a wire, and what stands in `tmp_path` as if Turnpike were installed: the source, pkg-config's files, the host."""
    libraries = tmp_path / "prefix/lib"
    (libraries / "pkgconfig").mkdir(parents=True)
    for name in ("turnpike", "turnpike-win", "turnpike-ndis"):
        shutil.copy(BUILD / f"{name}.pc", libraries / "pkgconfig")
    for library in BUILD.glob("src/libturnpike*.so"):
        (libraries / library.name).symlink_to(library)
    (tmp_path / "prefix/include").mkdir()
    (tmp_path / "prefix/include/turnpike-win").symlink_to(ROOT / "include/win")
    (tmp_path / "prefix/include/turnpike").symlink_to(ROOT / "include/turnpike")
    shutil.copy(ROOT / "examples/ndis/hear.c", tmp_path)
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "10.0.0.1/24"), (right, "eth0", "10.0.0.2/24"))
    return tmp_path, left, right


def shell(folder, line):
    """The words with which a line of the page is run there."""
    libraries = folder / "prefix/lib"
    return ("/bin/sh", "-c", f"cd {folder} && export PKG_CONFIG_PATH={libraries}/pkgconfig PATH={BUILD}/apps:$PATH && {line}")


def send_broadcasts_until(right, process, text):
    for _ in range(int(SOON / 0.1)):
        right.inject("eth0", b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(46))
        try:
            return process.await_output(text, within=0.1)
        except GroundError as error:
            if "did not write" not in str(error):
                raise
    raise GroundError(f"no {text!r} in {process.output}")


def test_it_is_built_loaded_shown_and_unloaded(workplace):
    folder, left, right = workplace
    left.run(*shell(folder, block(PAGE, "## Build")))
    host = left.spawn(*shell(folder, "exec " + block(PAGE, "## Load")))
    host.await_output(block(PAGE, "on standard error, among other things").strip())
    host.await_output(block(PAGE, "the binding is there").strip())
    right.inject("eth0", b"\xff" * 6 + bytes(6) + b"\x88\xb5" + bytes(46))
    host.output = ""
    host.signal(signal.SIGTERM)
    host.await_output(block(PAGE, "## Unload").strip("\n"))
    assert host.await_end() == 0


def test_a_bug_is_named(workplace):
    folder, left, right = workplace
    build, run = block(PAGE, "Built with a bug").splitlines()
    left.run(*shell(folder, build))
    host = left.spawn(*shell(folder, "exec " + run))
    host.await_output('"HEAR"')
    function, rule = block(PAGE, "ends with SIGABRT").splitlines()
    send_broadcasts_until(right, host, rule)
    host.await_output(function)  # the log has named the rule before that
    assert host.await_end() == 128 + signal.SIGABRT
