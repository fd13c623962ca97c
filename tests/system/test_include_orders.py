"""The documented headers compile in any order, with and without UNICODE, beside the headers of Linux and of C++.

Every header comes first once, with the others behind it in a turning order; Linux's own stand before, behind and in between
by turns. Only the syntax is checked, so one order costs some hundredths of a second.
"""

import itertools
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WIN = ROOT / "include/win"
CASE = ROOT / "build/dev/include-win-case"
# Not for everyday inclusion: these frame others, or change what comes behind them.
FRAMES = {"pshpack1.h", "pshpack2.h", "pshpack4.h", "pshpack8.h", "poppack.h", "initguid.h"}
HEADERS = sorted(path.name for path in WIN.glob("*.h") if path.name not in FRAMES)
LINUX = ["sys/types.h", "sys/socket.h", "sys/ioctl.h", "sys/queue.h", "netinet/in.h", "netinet/ip.h", "netinet/tcp.h",
         "netinet/icmp6.h", "arpa/inet.h", "net/if.h", "net/route.h", "netdb.h", "ifaddrs.h", "linux/rtnetlink.h",
         "linux/if_ether.h", "linux/if_link.h", "linux/mroute.h", "linux/filter.h", "linux/sock_diag.h", "poll.h",
         "pthread.h", "stdio.h", "stdlib.h", "string.h", "wchar.h", "time.h", "unistd.h"]
KERNEL_FIRST = ["linux/in.h", "linux/in6.h", "linux/if.h", "linux/rtnetlink.h", "linux/mroute.h"]
STANDARD = ["algorithm", "chrono", "functional", "iostream", "locale", "memory", "ranges", "string", "thread"]
COMPILERS = {
    "gcc-c11": ["gcc", "-x", "c", "-std=c11"],
    "gcc-c++20": ["g++", "-x", "c++", "-std=c++20", "-Wold-style-cast"],
    "clang-c11": ["clang-19", "-x", "c", "-std=c11"],
    "clang-c++20": ["clang++-19", "-x", "c++", "-std=c++20", "-Wold-style-cast"],
}
WARNINGS = ["-fsyntax-only", "-D_GNU_SOURCE", "-DMPR50=1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion",
            "-Wno-sign-conversion", "-Werror"]


def compile_includes(compiler, headers, *options, body="extern int not_empty;\n"):
    text = "".join(f"#include <{header}>\n" for header in headers) + body
    done = subprocess.run([*COMPILERS[compiler], *WARNINGS, *options, f"-I{WIN}", "-"], input=text, text=True,
                          check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return "" if done.returncode == 0 else f"{' '.join(headers[:3])} …: {done.stdout[:1000]}"


def compile_all(jobs):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [said for said in pool.map(lambda job: compile_includes(*job), jobs) if said]


def orders():
    """One order for each header that comes first; the others follow in a stride that differs from order to order."""
    for at, first in enumerate(HEADERS):
        rest = HEADERS[at + 1:] + HEADERS[:at]
        if at % 2:
            rest.reverse()
        yield [first, *rest]


def with_linux(at, order):
    place = at % 4
    if place == 0:
        return LINUX + order
    if place == 1:
        return order + LINUX
    mixed = [name for pair in itertools.zip_longest(order, LINUX) for name in pair if name]
    return mixed if place == 2 else mixed[::-1]


@pytest.mark.parametrize("unicode", ["", "unicode"])
@pytest.mark.parametrize("compiler", ["gcc-c11", "gcc-c++20"])
def test_every_header_first(compiler, unicode):
    options = ["-DUNICODE", "-D_UNICODE"] if unicode else []
    assert compile_all([(compiler, with_linux(at, order), *options) for at, order in enumerate(orders())]) == []


@pytest.mark.parametrize("compiler", ["clang-c11", "clang-c++20"])
def test_clang_agrees(compiler):
    some = list(enumerate(orders()))[::4]
    assert compile_all([(compiler, with_linux(at // 4, order)) for at, order in some]) == []


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_kernel_headers_first(compiler):
    assert compile_includes(compiler, KERNEL_FIRST + HEADERS) == ""


@pytest.mark.parametrize("order", ["before", "behind"])
@pytest.mark.parametrize("compiler", ["gcc-c++20", "clang-c++20"])
def test_the_standard_library(compiler, order):
    headers = STANDARD + HEADERS if order == "before" else HEADERS + STANDARD
    assert compile_includes(compiler, headers) == ""


@pytest.mark.parametrize("compiler", COMPILERS)
def test_inside_extern_c(compiler):
    """Clients wrap C headers so; ours hold a template in C++."""
    if "++" in compiler:
        body = 'extern "C" {\n' + "".join(f"#include <{header}>\n" for header in HEADERS) + "}\n"
        assert compile_includes(compiler, [], body=body) == ""
    else:
        assert compile_includes(compiler, HEADERS * 2) == ""


@pytest.mark.parametrize("options", [["-DMPR60=1", "-UMPR50"], ["-DMPR50=1", "-DMPR60=1"], ["-DNOMINMAX"],
                                     ["-DWIN32_LEAN_AND_MEAN"], ["-DSTRICT"]])
def test_what_clients_define(options):
    assert compile_includes("gcc-c11", HEADERS, *options) == ""


# clauses: RP-005
@pytest.mark.parametrize("options", [["-UMPR50"], ["-UMPR50", "-DMPR50=0"], ["-UMPR50", "-DMPR60=0"]])
def test_routprot_wants_a_version(options):
    assert "Router version not defined" in compile_includes("gcc-c11", ["routprot.h"], *options)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_packing_frames(compiler):
    body = """#include <windef.h>
#include <pshpack1.h>
struct packed { BYTE a; DWORD b; };
#include <pshpack2.h>
struct packed_to_two { BYTE a; DWORD b; };
#include <poppack.h>
#include <poppack.h>
struct natural { BYTE a; DWORD b; };
C_ASSERT(sizeof(struct packed) == 5);
C_ASSERT(sizeof(struct packed_to_two) == 6);
C_ASSERT(sizeof(struct natural) == 8);
"""
    assert compile_includes(compiler, [], body=body) == ""


@pytest.mark.parametrize("compiler", ["gcc-c11", "gcc-c++20"])
def test_names_in_any_case(compiler):
    spellings = sorted(path.name for path in CASE.iterdir() if path.name.lower() not in FRAMES)
    assert {name.lower() for name in spellings} == set(HEADERS)
    assert {"Windef.h", "WINDEF.H", "WINDEF.h", "MprApi.h", "RtmV2.h", "RoutProt.h"} <= set(spellings)
    assert compile_includes(compiler, spellings, f"-I{CASE}") == ""


def test_an_exported_entry_point_is_visible(tmp_path):
    """A module built with everything hidden still shows what it marks in the Windows way."""
    source, module = tmp_path / "module.c", tmp_path / "module.so"
    source.write_text("""#include <routprot.h>
__declspec(dllexport) DWORD WINAPI RegisterProtocol(PMPR_ROUTING_CHARACTERISTICS routing,
                                                    PMPR_SERVICE_CHARACTERISTICS services) {
  routing->fSupportedFunctionality = RF_ROUTING;
  services->fSupportedFunctionality = 0;
  return NO_ERROR;
}
DWORD hidden(void);
DWORD hidden(void) { return NO_ERROR; }
""", encoding="utf-8")
    subprocess.run(["gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-DMPR50=1", "-fvisibility=hidden", "-shared", "-fPIC",
                    f"-I{WIN}", source, "-o", module], check=True)
    shown = subprocess.run(["nm", "-D", "--defined-only", module], check=True, text=True, capture_output=True).stdout
    assert [line.split()[-1] for line in shown.splitlines()] == ["RegisterProtocol"]
