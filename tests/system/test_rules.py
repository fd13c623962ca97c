"""Every rule of tools/rules can fail: each is run in a small tree of its own that breaks it, and in one that keeps it."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted(path.name for path in (ROOT / "tools/rules").glob("rule_*") if os.access(path, os.X_OK))
# Rules that read more of the project than a small tree has, and where each is broken on purpose.
ELSEWHERE = {"rule_coverage": "test_coverage.py"}

CLEAN = {
    "README.md": "# A tree\n\nSee [the room](src/net/README.md#what-it-is).\n",
    "include/turnpike/name.h": "#ifndef NAME_H\n#define NAME_H\nconst char* TpName(void);\n#endif\n",
    "src/base/clock.h": "#pragma once\n#include <cstdint>\n\nusing Ticks = std::uint64_t;\n",
    "src/base/README.md": "# base\n",
    "src/net/link.h": '#pragma once\n#include "base/clock.h"\n\ninline Ticks now() { return 0; }  // not system("x")\n',
    "src/net/README.md": "# net\n\n## What it is\n",
    "src/capi/exports.txt": "# sorted\nTpName\n",
}


def plant(root, files):
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / ".clang-format").write_text((ROOT / ".clang-format").read_text(encoding="utf-8"), encoding="utf-8")
    for path, text in (CLEAN | files).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def run(rule, root):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run([ROOT / "tools/rules" / rule, root / "build"], cwd=root, env=environment, check=False,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def build_library(root, *exported, hidden=()):
    """A library with these names, linked as ours is, from a room that marks them and the hidden ones too."""
    (root / "build/src/capi").mkdir(parents=True)
    (root / "name.c").write_text("".join(f"int {name}(void);\nint {name}(void) {{ return 0; }}\n"
                                         for name in [*exported, *hidden]), encoding="utf-8")
    names = "".join(f"{name}; " for name in exported)
    (root / "names.map").write_text(f"{{ global: {names} local: *; }};", encoding="utf-8")
    for command in ("gcc -c -fPIC name.c -o build/src/capi/name.o",
                    "ar rc build/src/capi/libroom_capi.a build/src/capi/name.o",
                    "gcc -shared -Wl,--version-script=names.map build/src/capi/name.o -o build/src/libturnpike.so"):
        subprocess.run(command.split(), cwd=root, check=True)
    (root / "name.c").unlink()


@pytest.mark.parametrize("rule", sorted(set(RULES) - set(ELSEWHERE)))
def test_a_good_tree_keeps_the_rule(rule, tmp_path):
    plant(tmp_path, {})
    if rule == "rule_exports":
        build_library(tmp_path, "TpName")
    code, output = run(rule, tmp_path)
    assert code == 0, output


def code(body):
    return {"src/net/bad.cpp": body + "\n"}


SHIM = {"src/capi/exports.txt": "tp_Open\n"}
BROKEN = [
    ("rule_bad_input", {"src/capi/exports.txt": "tp_Open\n"}, "in no test of bad input: Open"),
    ("rule_bad_input", SHIM | {"tests/win32/a_test.cpp": "TEST(Shim, Opens) {\n  Open(1);\n}\n"}, "Open"),
    ("rule_bad_input", SHIM | {"tests/win32/no_bad_input.txt": "Open  #\n"}, "in no test of bad input: Open"),
    ("rule_bad_input", {"tests/win32/no_bad_input.txt": "Gone  # why\n"}, "Gone is no function of the shim"),
    ("rule_banned", code("void f(char* a, const char* b) { strcpy(a, b); }"), "bad.cpp:1: unbounded-copy"),
    ("rule_banned", code("int f() { return rand(); }"), "hidden-state"),
    ("rule_banned", code("int f() { return atoi(\"1\"); }"), "mute-number"),
    ("rule_banned", code("int f() { return system(\"ls\"); }"), "shell"),
    ("rule_banned", code("void* f() { return alloca(1); }"), "stack-size"),
    ("rule_banned", {"tests/net/bad_test.cpp": "void f() { std::this_thread::sleep_for(x); }\n"}, "sleeping-test"),
    ("rule_banned", code("std::regex r;"), "regex"),
    ("rule_banned", code("void f() { printf(\"x\"); }"), "standard-output"),
    ("rule_banned", code("using namespace std;"), "using-namespace"),
    ("rule_banned", code("int* p = new int;"), "naked-new"),
    ("rule_banned", code("void f(int* p) { delete p; }"), "naked-delete"),
    ("rule_banned", code("\nstd::shared_ptr<int> p;"), "bad.cpp:2: shared-owner"),
    ("rule_banned", code("// TODO: later"), "unfinished"),
    ("rule_banned", code("// FIXME(test): this is forbidden whatever it says"), "unfinished"),
    ("rule_banned", code("int* p = new int;  // allow naked-new:"), "naked-new"),
    ("rule_banned", code("int* p = new int;  // allow shell: wrong name"), "naked-new"),
    ("rule_banned", {"src/net/string_util.cpp": ""}, "catch-all-name"),
    ("rule_format", code("int  f( ) ;"), "bad.cpp:1"),
    ("rule_headers", {"include/turnpike/bad.h": "size_t TpSize(void);\n"}, "include/turnpike/bad.h alone as c11"),
    ("rule_headers", {"include/turnpike/bad.h": "int TpF(int new);\n"}, "include/turnpike/bad.h alone as c++20"),
    ("rule_headers", {"include/turnpike/bad.h": "struct Twice { int a; };\n"}, "redefinition"),
    ("rule_headers", {"src/net/bad.h": "#pragma once\ninline std::string f();\n"}, "src/net/bad.h alone as c++20"),
    ("rule_layers", {"src/base/bad.h": '#include "net/link.h"\n'}, "base: net/link.h: may not include net"),
    ("rule_layers", code("#include <sys/socket.h>"), "may not include <sys/socket.h>"),
    ("rule_layers", code('#  include "turnpike/name.h"'), "may not include public headers"),
    ("rule_layers", code('#include "nowhere.h"'), "is no header of the project"),
    ("rule_layers", code('#include "net/gone.h"'), "is no header of the project"),
    ("rule_layers", code("#include <grpcpp/server.h>"), "admin/server admin/client"),
    ("rule_layers", code("#include <boost/any.hpp>"), "which is for nobody"),
    ("rule_layers", {"src/attic/bad.cpp": ""} | {"src/attic/bad.h": '#include "base/clock.h"\n'}, "has no row"),
    ("rule_layers", {"modules/rip/rip.c": '#include "net/link.h"\n'}, "modules: net/link.h: may not include net"),
    ("rule_layers", {"examples/walk.cpp": '#include "base/clock.h"\n'}, "examples: base/clock.h: may not include base"),
    ("rule_layers", {"src/rtm/table.h": "", "src/kernel/bad.cpp": '#include "rtm/table.h"\n'}, "may not include rtm"),
    ("rule_links", {"docs/a.md": "[x](b.md)\n"}, "docs/a.md:1: b.md: leads nowhere"),
    ("rule_links", {"docs/a.md": "[x](../../out.md)\n"}, "leads out of the project"),
    ("rule_links", {"docs/a.md": "[x](../src/net/README.md#gone)\n"}, "names no heading"),
    ("rule_links", {"docs/a.md": "[x]\n\n[x]: b.md\n"}, "leads nowhere"),
    ("rule_links", {"src/rtm/table.h": "#pragma once\n"}, "src/rtm: has no README.md"),
    ("rule_spelling", {"docs/a.md": "t" + "eh word\n"}, "a.md:1"),
    ("rule_words", {"docs/a.md": "see /wor" + "k/main\n"}, "docs/a.md:1"),
    ("rule_words", {"docs/a.md": "see /hom" + "e/ann/x\n"}, "docs/a.md:1"),
    ("rule_words", {"docs/a.md": "see ../shar" + "ed/spec\n"}, "docs/a.md:1"),
]


@pytest.mark.parametrize("rule, files, expected", BROKEN, ids=[f"{rule}-{number}" for number, (rule, *_) in enumerate(BROKEN)])
def test_a_bad_tree_breaks_the_rule(rule, files, expected, tmp_path):
    plant(tmp_path, files)
    code, output = run(rule, tmp_path)
    assert code == 1, output
    assert expected in output


KEPT = [
    ("rule_bad_input", SHIM | {"tests/win32/a_test.cpp": "TEST(Shim, RefusesNull) {\n  Open(0);\n}\n"}),
    ("rule_bad_input", SHIM | {"tests/win32/bad_shim_test.cpp": "void all() { TpOpen(0); }\n"}),
    ("rule_bad_input", SHIM | {"tests/win32/no_bad_input.txt": "Open  # no parameters\n"}),
    ("rule_banned", code('const char* f() { return "system(x) // new int"; }  // printf(x) and delete p')),
    ("rule_banned", code("// allow naked-new: the C caller frees it\nint* p = new int;")),
    ("rule_banned", code("struct S { S(const S&) = delete; void* operator new(unsigned long); };")),
    ("rule_banned", code("void f(void* p) { ::new (p) int(3); }")),
    ("rule_banned", code("#include <new>\nauto p = std::unique_ptr<T>(new T);  // its constructor is private")),
    ("rule_banned", code("// both tables keep it alive\nstd::shared_ptr<int> p;")),
    ("rule_banned", code("// TODO(speed): measure before the table is sharded")),
    ("rule_banned", code("using namespace std::literals;")),
    ("rule_banned", code("int f() { return 1'000'000; }  // a ' is no literal here\nint g(char c) { return c == '\"'; }")),
    ("rule_layers", {"tests/net/any_test.cpp": '#include <sys/socket.h>\n#include "net/link.h"\n'}),
    ("rule_layers", {"src/rtm/port.h": "", "src/kernel/good.cpp": '#include "rtm/port.h"\n#include <linux/netlink.h>\n'}),
    ("rule_layers", code('// #include <sys/socket.h>\n/*\n#include "nowhere.h"\n*/')),
    ("rule_links", {"docs/a.md": "`[x](b.md)` and [y](https://example.org/) and\n```\n[z](c.md)\n```\n"}),
]


@pytest.mark.parametrize("rule, files", KEPT, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(KEPT)])
def test_what_only_looks_bad_keeps_the_rule(rule, files, tmp_path):
    plant(tmp_path, files)
    code, output = run(rule, tmp_path)
    assert code == 0, output


@pytest.mark.parametrize("exported, hidden, expected", [
    (["TpOther"], [], "listed but not exported: TpName"),
    (["TpName", "TpMore"], [], "exported but not listed: TpMore"),
    (["TpName"], ["TpForgotten"], "marked for export but not listed: TpForgotten"),
])
def test_exports_must_be_the_list(exported, hidden, expected, tmp_path):
    plant(tmp_path, {})
    build_library(tmp_path, *exported, hidden=hidden)
    code, output = run("rule_exports", tmp_path)
    assert code == 1
    assert expected in output


def test_exports_want_a_library(tmp_path):
    plant(tmp_path, {})
    code, output = run("rule_exports", tmp_path)
    assert code == 1
    assert "is not built" in output


def test_a_changed_header_is_compiled_again(tmp_path):
    plant(tmp_path, {})
    assert run("rule_headers", tmp_path)[0] == 0
    (tmp_path / "src/base/clock.h").write_text("#pragma once\n", encoding="utf-8")
    code, output = run("rule_headers", tmp_path)
    assert code == 1
    assert "src/net/link.h alone" in output, "it includes what has changed"


def test_sizes_are_reported_and_never_fail(tmp_path):
    body = "int f(int a) {\n" + "  if (a) {\n    ++a;\n  }\n" * 30 + "  return a;\n}\n"
    plant(tmp_path, code(f"namespace n {{\nclass C {{\n{body}}};\n}}") | {"src/net/long.cpp": "\n" * 901})
    code_of_rule, output = run("rule_sizes", tmp_path)
    assert code_of_rule == 0
    assert "93 lines in the function at src/net/bad.cpp:3 int f(int a)" in output
    assert "901 lines in src/net/long.cpp" in output


def test_no_rule_goes_untested():
    here = {rule for rule, *_ in BROKEN} | {"rule_exports", "rule_sizes"}
    assert here | set(ELSEWHERE) == set(RULES)
    assert all((Path(__file__).parent / name).is_file() for name in ELSEWHERE.values())
