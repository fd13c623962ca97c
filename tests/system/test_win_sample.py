"""The sample protocol: the same files compile for Windows and for Linux, where two routers that run it teach each other."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples/win-sample"
BUILD = ROOT / "build/dev"
COMPILERS = {
    "windows": ["clang-19", "--target=x86_64-w64-windows-gnu", "-isystem", "/usr/share/mingw-w64/include", "-fms-extensions",
                "-D_WIN32_WINNT=0x0600"],
    "linux-gcc": ["gcc", "-I", ROOT / "include/win"],
    "linux-clang": ["clang-19", "-I", ROOT / "include/win"],
}
OPTIONS = ["-fsyntax-only", "-std=c11", "-Wall", "-Wextra", "-Werror", "-DMPR50=1"]


@pytest.mark.parametrize("text", [[], ["-DUNICODE", "-D_UNICODE"]], ids=["ansi", "unicode"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_compiles(compiler, text):
    files = sorted(SAMPLE.glob("*.c"))
    assert len(files) == 10
    done = subprocess.run([*COMPILERS[compiler], *OPTIONS, *text, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_knows_nothing_of_linux():
    for file in SAMPLE.glob("*.[ch]"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"linux|turnpike|__GNUC__|#\s*include <(sys|arpa|netinet)/", text, re.IGNORECASE), file


def test_has_the_size_of_a_real_protocol():
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in SAMPLE.glob("*.[ch]")) > 1000


def router(host, address, role):
    """A router in that host, talking on its eth0."""
    index = host.run("ip", "-o", "link", "show", "eth0").split(":")[0]
    return host.spawn(BUILD / "tests/win_sample/win_sample_host", BUILD / "examples/win-sample/nrp.so", index, address, "24",
                      role, talk=True)


def test_two_routers_teach_each_other(ground):
    ground.need("veth")
    left, right = ground.host("left"), ground.host("right")
    ground.wire((left, "eth0", "192.0.2.1/24"), (right, "eth0", "192.0.2.2/24"))
    left.await_running("eth0")
    right.await_running("eth0")
    with router(right, "192.0.2.2", "learn") as learner, router(left, "192.0.2.1", "teach") as teacher:
        teacher.await_output("teaching")
        learner.await_output("learned 10.99.0.0/16 with metric 2")
        teacher.write("withdraw\n")
        teacher.await_output("withdrawn")
        learner.await_output("lost")
        for one in (teacher, learner):
            one.write("stop\n")
            one.await_output("clean")
            assert one.await_end() == 0, one.output
