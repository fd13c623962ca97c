#!/usr/bin/python3
"""Derives the facts of tests/facts again, from the public headers that Debian packages as mingw-w64-common.

Clang compiles them for 64-bit Windows: pointers are as wide as ours, `long` and WCHAR are not. Each fact is asked twice:
with the headers as they are, and with a WCHAR of 32 bits. What agrees is confirmed. What agrees only with the wide WCHAR
is confirmed too, and that is its reason. Whatever else differs, or is not in those headers, needs the text of the contract
(tools/facts_contract.py) or a line of tests/facts/accepted with a reason; an unexplained difference ends the program with 1.
Prototypes and function pointer types are compared as well: ours are declared again behind theirs.
"""

import re
import subprocess
import sys
from pathlib import Path

import facts as fact_files
import facts_contract

INCLUDE = Path("/usr/share/mingw-w64/include")
CLANG = ["clang-19", "--target=x86_64-w64-windows-gnu", "-nostdlibinc", "-isystem", str(INCLUDE), "-isystem", str(INCLUDE / "ddk"), "-std=gnu11", "-fms-extensions", "-w",
         "-ferror-limit=0", "-fno-caret-diagnostics", "-x", "c"]
WIDE = ["-D_WCHAR_T_DEFINED", "-Dwchar_t=unsigned int"]
ROUTER = """\
#define WINVER 0x0A00
#define _WIN32_WINNT 0x0A00
#define MPR50 1
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <stddef.h>
#define STRSAFE_NO_DEPRECATE
#include <strsafe.h>
#include <wincrypt.h>
#include <ntdef.h>
#include <rtinfo.h>
#include <rtm.h>
#include <rtmv2.h>
#include <mprapi.h>
#include <mprerror.h>
#include <iprtrmib.h>
#include <mgm.h>
#include <routprot.h>
#include <ipinfoid.h>
#include <fltdefs.h>
#include <iptypes.h>
#include <ipexport.h>
#include <lmcons.h>
#include <lmerr.h>
#include <ras.h>
#include <raserror.h>
#include <rtutils.h>
#include <iphlpapi.h>
#include <ifdef.h>
#include <mswsock.h>
"""
# What drivers are compiled with cannot stand beside the above. Both generations of NDIS in their newest shapes. Their two headers define the kinds of a request both, and one function lacks a comma.
GENERATIONS = ["NDIS_WRAPPER", "NDIS_LEGACY_DRIVER", "NDIS51", *(f"NDIS_SUPPORT_NDIS{minor}" for minor in ("6", "61", "620", "630"))]
KINDS = ["_NDIS_REQUEST_TYPE", "NDIS_REQUEST_TYPE", "PNDIS_REQUEST_TYPE",
         *(f"NdisRequest{name}" for name in ("QueryInformation", "SetInformation", "QueryStatistics", "Open", "Close", "Send", "TransferData",
                                             "Reset", "Generic1", "Generic2", "Generic3", "Generic4", "Method"))]
DRIVERS = "\n".join([
    "#define WINVER 0x0A00", "#define _WIN32_WINNT 0x0A00", *(f"#define {name} 1" for name in GENERATIONS),
    "#define _WS2IPDEF_",  # not of drivers; of it only this is used:
    "typedef struct { char any[28]; } SOCKADDR_INET;", "#include <ntddk.h>", "#include <stddef.h>",
    *(f"#define {name} other_{name}" for name in KINDS), "#include <ntddndis.h>", *(f"#undef {name}" for name in KINDS),
    "#define NdisMWanIndicateReceiveComplete(...) other_function(void)", "#include <ndis.h>", ""])
DRIVER_HEADERS = {"ndis", "netpnp", "ntddndis", "ntstatus", "turnpike_ndis5", "turnpike_ndis6", "wdm"}


def questions(all_of_them):
    """(name of the fact, expression, our number, where) for every number that is recorded."""
    for facts in all_of_them:
        for struct in facts.structs:
            yield f"size of {struct.name}", f"sizeof({struct.name})", struct.size, struct.where
            for path, offset, size, where in struct.fields:
                yield f"offset of {struct.name}.{path}", f"offsetof({struct.name}, {path})", offset, where
                yield f"size of {struct.name}.{path}", f"sizeof((({struct.name}*)0)->{path})", size, where
        for expression, value, where in facts.values:
            yield expression, f"({expression})", (value + 2**63) % 2**64 - 2**63, where
        for macro, text, where in facts.texts:
            for at, letter in enumerate(text + "\0"):
                yield f"{macro}[{at}]", f"({macro})[{at}]", ord(letter), where


def refused(prologue, lines, options):
    """The indices of the lines that the public headers do not allow, with what the compiler says."""
    text = prologue + "".join(f'#line 1 "{index}"\n{line}\n' for index, line in enumerate(lines))
    done = subprocess.run([*CLANG, *options, "-fsyntax-only", "-"], input=text, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = {}
    for line in done.stdout.splitlines():
        found = re.match(r"(\d+):\d+:\d+: error: (.*)", line)
        if found:
            said.setdefault(int(found[1]), found[2])
        elif ": error: " in line or ": fatal error: " in line:
            raise SystemExit(f"the public headers do not compile: {line}")
    return said


def answers(prologue, expressions, options):
    """The value of each expression under the public headers; None where they do not know it."""
    lines = [f"const long long fact_{index} = (long long){expression};" for index, expression in enumerate(expressions)]
    unknown = refused(prologue, lines, options)
    known = [index for index in range(len(lines)) if index not in unknown]
    text = prologue + "\n".join(lines[index] for index in known) + "\n"
    done = subprocess.run([*CLANG, *options, "-S", "-o", "-", "-"], input=text, text=True, check=True, capture_output=True)
    values = [None] * len(lines)
    for found in re.finditer(r"^fact_(\d+):\n(?:\s*\.quad\s+(-?\d+)|\s*\.zero\s+8)", done.stdout, re.MULTILINE):
        values[int(found[1])] = int(found[2] or 0)
    return values


def macros(prologue):
    """The names of everything that is a macro under the public headers."""
    done = subprocess.run([*CLANG, "-E", "-dM", "-"], input=prologue, text=True, check=True, capture_output=True)
    return set(re.findall(r"^#define (\w+)", done.stdout, re.MULTILINE))


def compare_declarations(prologue, all_of_them):
    """(name, what differs, where) of every declaration that the public headers have otherwise or not at all."""
    pairs = [(name, re.sub(r"\s+", " ", text), facts.header) for facts in all_of_them
             for name, text in fact_files.functions(facts.header) + fact_files.function_pointers(facts.header)]
    conflicts = refused(prologue, [text for _, text, _ in pairs], [])
    absent = refused(prologue, [f"extern __typeof__({name}) {name};" if not text.startswith("typedef") else
                      f"extern {name} fact_{name};" for name, text, _ in pairs], [])
    theirs = macros(prologue)
    conflicts = {index: "a macro there" if pairs[index][0] in theirs else
                 "not in the public headers" if said.startswith("unknown type name") else said for index, said in conflicts.items()}
    found = [(pairs[index][0], said, f"include/win/{pairs[index][2]}.h") for index, said in conflicts.items()]
    found += [(pairs[index][0], "not in the public headers", f"include/win/{pairs[index][2]}.h") for index in absent
              if index not in conflicts]
    return len(pairs), found


def read_accepted():
    """[(pattern, reason)] of tests/facts/accepted: `PATTERN  # reason`, * in a pattern stands for anything."""
    accepted = []
    for line in (fact_files.FACTS / "accepted").read_text(encoding="utf-8").splitlines():
        pattern, _, reason = line.partition("#")
        if pattern.strip():
            if not reason.strip():
                raise SystemExit(f"tests/facts/accepted: give a reason: {line}")
            accepted.append((re.compile(re.escape(pattern.strip()).replace(r"\*", ".*") + "$"), reason.strip()))
    return accepted


def main():
    if not (INCLUDE / "rtmv2.h").is_file():
        raise SystemExit(f"{INCLUDE} is not there: install Debian's mingw-w64-common")
    all_of_them = fact_files.all_facts()
    asked, narrow, wide, count, declared_otherwise = [], [], [], 0, []
    for prologue, part in ((ROUTER, [facts for facts in all_of_them if facts.header not in DRIVER_HEADERS]),
                           (DRIVERS, [facts for facts in all_of_them if facts.header in DRIVER_HEADERS])):
        asked_here = list(questions(part))
        expressions = [expression for _, expression, _, _ in asked_here]
        asked += asked_here
        narrow += answers(prologue, expressions, [])
        wide += answers(prologue, expressions, WIDE)
        count_here, otherwise_here = compare_declarations(prologue, part)
        count += count_here
        declared_otherwise += otherwise_here
    stated, _ = facts_contract.compare(all_of_them)
    accepted = read_accepted()
    used = set()

    def reason_for(name):
        for pattern, reason in accepted:
            if pattern.match(name):
                used.add(pattern)
                return reason
        return None

    confirmed, reasons, unexplained = 0, {}, []
    for (name, _, ours, where), theirs, theirs_wide in zip(asked, narrow, wide):
        if theirs == ours:
            confirmed += 1
        elif theirs is not None and theirs_wide == ours:
            reasons.setdefault("WCHAR has 32 bits here", []).append(f"{name}: {ours}, there {theirs}")
        elif theirs is None and name in stated:
            reasons.setdefault("not in the public headers; the contract states it", []).append(name)
        else:
            said = f"{name}: {ours}, there {'absent' if theirs is None else theirs}"
            reason = reason_for(name)
            reasons.setdefault(reason, []).append(said) if reason else unexplained.append(f"{where}: {said}")
    confirmed += count - len(declared_otherwise)
    for name, said, where in declared_otherwise:
        listed = said == "not in the public headers" and facts_contract.lists_function(name)
        reason = said if said == "a macro there" else reason_for(name) or (listed and "not there; the contract's tables of functions have it")
        reasons.setdefault(reason, []).append(f"{name}: {said}") if reason else unexplained.append(f"{where}: {name}: {said}")
    unexplained += [f"tests/facts/accepted: nothing differs any more at {pattern.pattern}" for pattern, reason in accepted
                    if pattern not in used and "later headers" not in reason]

    print(f"{confirmed} facts and declarations are as in the public headers")
    for reason, names in sorted(reasons.items()):
        print(f"{len(names)} accepted: {reason}")
        if "-v" in sys.argv:
            print("    " + "\n    ".join(names))
    for line in unexplained:
        print(f"UNEXPLAINED {line}")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
