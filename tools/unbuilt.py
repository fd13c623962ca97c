#!/usr/bin/python3
"""Functions that a header declares and no room does yet: they exist and say so, so that a client links.

src/capi/unbuilt/HEADER.txt lists those of include/win/HEADER.h, one a line; HEADER.PART.txt a part of them. Those of
libturnpike-ndis are in src/capi/unbuilt/ndis. Whoever builds a face deletes its file or its lines. A function answers what its return type asks for: a status ERROR_NOT_SUPPORTED, a handle NULL, a BOOL FALSE, these
two and numbers with that last error. A line may say another number behind the name.

  tools/unbuilt.py define LIST    a C++ file that defines the functions of one list
  tools/unbuilt.py expect LIST…   lines for tests/capi/unbuilt_test.cpp: what each function answers
  tools/unbuilt.py declared [H…]  a C program that takes the address of every function that any header declares but H…
"""

import sys
from pathlib import Path

import facts

# Return type → (what it answers, whether it sets the last error).
ANSWERS = {"DWORD": ("ERROR_NOT_SUPPORTED", False), "void": ("", False), "HANDLE": ("nullptr", True), "BOOL": ("FALSE", True),
           "ULONG": ("0", True), "NDIS_STATUS": ("NDIS_STATUS_NOT_SUPPORTED", False), "NTSTATUS": ("STATUS_NOT_SUPPORTED", False)}
DRIVERS = ("wdm", "ndis", "turnpike_ndis5", "turnpike_ndis6")
NUMBERS = ("BOOLEAN", "CCHAR", "KIRQL", "LONG", "SIZE_T", "UCHAR", "UINT", "ULONGLONG", "USHORT", "WCHAR")


def header_of(path):
    return path.stem.partition(".")[0]


def answer_of(type_name, header):
    """(what a function of that type answers, whether it sets the last error, which drivers do not know)."""
    if type_name in NUMBERS:
        return "0", False
    answer, sets_error = ANSWERS.get(type_name, ("nullptr", False))
    return answer, sets_error and header not in DRIVERS


def read_list(path):
    """[(name, prototype, answer, whether it sets the last error)] of one list."""
    header = header_of(path)
    prototypes = dict(facts.functions(header))
    unbuilt = []
    for line in path.read_text(encoding="utf-8").splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] not in prototypes:
            raise SystemExit(f"{path}: {header}.h declares no {words[0]}")
        prototype = prototypes[words[0]]
        answer, sets_error = answer_of(prototype.split()[0], header)
        unbuilt.append((words[0], prototype, words[1] if len(words) > 1 else answer, sets_error))
    return unbuilt


def define(path):
    print(f"// Written by tools/unbuilt.py from src/capi/unbuilt/{path.name}.")
    unbuilt = read_list(path)
    if any(sets_error for *_, sets_error in unbuilt):
        print("#include <errhandlingapi.h>")
    print(f"#include <{header_of(path)}.h>\n#include <winerror.h>\n")
    print('#pragma GCC diagnostic ignored "-Wunused-parameter"\n')
    for _, prototype, answer, sets_error in unbuilt:
        last_error = "SetLastError(ERROR_NOT_SUPPORTED); " if sets_error else ""
        print(f"{prototype.removesuffix(';')} {{ {last_error}return{' ' * bool(answer)}{answer}; }}")


def expect(paths):
    for path in paths:
        for name, _, answer, sets_error in read_list(path):
            error = "ERROR_NOT_SUPPORTED" if sets_error else "ERROR_SUCCESS"
            print(f'{{"{name}", [] {{ return answers({name}{", " * bool(answer)}{answer}); }}, {error}}},')


def declared(without):
    headers = [path.stem for path in sorted(facts.HEADERS.glob("*.h")) if not path.stem.startswith(("pshpack", "poppack"))]
    names = {name: None for header in headers if header not in without for name, _ in facts.functions(header)}
    print("/* Written by tools/unbuilt.py. Everything that a header declares links (contract, decision 17). */")
    print("".join(f"#include <{header}.h>\n" for header in headers))
    print("static const void* const addresses[] = {")
    for name in names:
        print(f"    (const void*)(UINT_PTR)&{name},")
    print("};\n\nint main(void) {\n  size_t at;\n  for (at = 0; at < RTL_NUMBER_OF(addresses); ++at) {")
    print("    if (addresses[at] == NULL) return 1;\n  }\n  return 0;\n}")


def main():
    paths = [Path(argument) for argument in sys.argv[2:]]
    if sys.argv[1:2] == ["define"] and len(paths) == 1:
        define(paths[0])
    elif sys.argv[1:2] == ["expect"]:
        expect(paths)
    elif sys.argv[1:2] == ["declared"]:
        declared(sys.argv[2:])
    else:
        raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
