"""The documented headers have the sizes, offsets and values that tests/facts records, and these are the documented ones."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPILERS = {
    "gcc-c11": ["gcc", "-x", "c", "-std=c11"],
    "gcc-c++20": ["g++", "-x", "c++", "-std=c++20"],
    "clang-c11": ["clang-19", "-x", "c", "-std=c11"],
    "clang-c++20": ["clang++-19", "-x", "c++", "-std=c++20"],
    "gcc-c++20-unicode": ["g++", "-x", "c++", "-std=c++20", "-DUNICODE"],
}
if platform.machine() == "x86_64":
    # The other machine we support has an unsigned char and wchar_t. No libc of it is here: this one's headers do, once they
    # are told their own name, by which they know how wide a word is.
    # glibc 2.41 then takes it for granted that there is a __float128, which there is called long double.
    COMPILERS["clang-arm64"] = ["clang-19", "--target=aarch64-linux-gnu", "-D__x86_64__=1", "-D__float128=long double",
                                "-I/usr/include/x86_64-linux-gnu", "-x", "c", "-std=c11"]


def tool(name, *arguments):
    return subprocess.run([sys.executable, str(ROOT / "tools" / name), *arguments], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def compile_text(compiler, text):
    done = subprocess.run([*COMPILERS[compiler], "-fsyntax-only", "-Wall", "-Wextra", "-DMPR50=1",
                           f"-I{ROOT / 'include/win'}", "-"], input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return [line for line in done.stdout.splitlines() if "error" in line] or [done.stdout] * (done.returncode != 0)


@pytest.fixture(scope="module")
def asserts():
    done = tool("facts.py", "asserts")
    assert done.returncode == 0, done.stdout
    return done.stdout


# clauses: RTM2-001 RTM2-002 RTM2-003 RTM2-004 RTM2-006 RTM2-007 RTM2-008 RTM1-001 RTM1-002 RTM1-003
# clauses: RP-001 RP-003 RP-004 MPR-001 MPR-002 MPR-003 MPR-004 MPR-005 MPR-006 MPR-007 MPR-008 MPR-009 MPR-010 MPR-011
# clauses: MPR-012 MPR-013 MPR-014 MPR-015 NDIS-209
@pytest.mark.parametrize("compiler", COMPILERS)
def test_headers_have_the_recorded_facts(compiler, asserts):
    assert compile_text(compiler, asserts) == []


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_wrong_fact_names_itself(compiler, asserts):
    wrong = asserts.replace("offsetof(RTM_ROUTE_INFO, PrefInfo) == 28", "offsetof(RTM_ROUTE_INFO, PrefInfo) == 32")
    assert wrong != asserts
    said = compile_text(compiler, wrong)
    assert said and "RTM_ROUTE_INFO.PrefInfo" in said[0] and "tests/facts/rtmv2.txt" in said[0]


def test_every_declared_name_has_a_fact():
    done = tool("facts.py", "unrecorded")
    assert done.returncode == 0, done.stdout


def test_the_contract_says_the_same():
    done = tool("facts_contract.py")
    assert done.returncode == 0, done.stdout


def test_the_public_headers_say_the_same():
    done = tool("facts_mingw.py")
    assert done.returncode == 0, done.stdout


def test_short_wchar_is_refused_with_the_reason():
    done = subprocess.run(["gcc", "-fshort-wchar", "-fsyntax-only", "-x", "c", f"-I{ROOT / 'include/win'}", "-"],
                          input="#include <rtmv2.h>\n", text=True, check=False, capture_output=True)
    assert done.returncode != 0
    assert "WCHAR is wchar_t" in done.stderr and "-fshort-wchar" in done.stderr
