"""The installed tree: complete, movable, and enough for a stranger's C and C++ with pkg-config and with CMake.

What is installed is the build that ./lab uses: the release build without link-time optimisation. It has the same files,
names and symbols, and ./check need not build the library once more for this.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/lab"
CLIENTS = ROOT / "tests/install"
VERSION = re.search(r"project\(Turnpike VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))[1]
MAJOR, MINOR, _ = (int(number) for number in VERSION.split("."))
CAREFUL = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"]
COMPILERS = {".c": ["cc", "-std=c11", *CAREFUL, "-Wstrict-prototypes"],
             ".cpp": ["c++", "-std=c++11", *CAREFUL, "-Wold-style-cast"]}

pytestmark = pytest.mark.slow


def run(*command, **options):
    """What a command prints; one that fails fails the test, with its output."""
    done = subprocess.run([str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module", name="prefix")
def fixture_prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("install") / "prefix"
    run("cmake", "--preset", "lab", cwd=ROOT)
    run("cmake", "--build", BUILD)
    run("cmake", "--install", BUILD, "--prefix", prefix)
    shutil.copy(BUILD / "install_manifest.txt", prefix.parent)
    return prefix


@pytest.fixture(name="moved")
def fixture_moved(prefix, tmp_path):
    """The same tree elsewhere, without the first one's being there."""
    moved = tmp_path / "else where"
    shutil.copytree(prefix, moved, symlinks=True)
    hidden = prefix.with_name("hidden")
    prefix.rename(hidden)
    yield moved
    hidden.rename(prefix)


def library_folder(prefix):
    return next(prefix.glob("**/libturnpike.so")).parent


def pkg_config(prefix, *words):
    environment = os.environ | {"PKG_CONFIG_PATH": str(library_folder(prefix) / "pkgconfig")}
    flags = run("pkg-config", *words, env=environment)
    return [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|\S)+", flags)]


def build_with_pkg_config(prefix, package, source, folder):
    program = folder / source.stem
    run(*COMPILERS[source.suffix], source, "-o", program, *pkg_config(prefix, "--cflags", "--libs", package))
    return run(program, env=os.environ | {"LD_LIBRARY_PATH": str(library_folder(prefix))})


def build_with_cmake(prefix, source, folder, *options):
    run("cmake", "-G", "Ninja", "-S", source, "-B", folder, f"-DTurnpike_DIR={library_folder(prefix)}/cmake/Turnpike",
        f"-DCMAKE_C_FLAGS={' '.join(CAREFUL)}", f"-DCMAKE_CXX_FLAGS={' '.join(CAREFUL)}", *options)
    run("cmake", "--build", folder)


def test_a_client_builds_with_pkg_config(prefix, tmp_path):
    for source, language in ("client_c.c", "C"), ("client_cpp.cpp", "C++"):
        said = build_with_pkg_config(prefix, "turnpike", CLIENTS / source, tmp_path)
        assert said == f"<6>client: hello language={language}\n{VERSION}\n"


def test_a_windows_client_builds_with_pkg_config(prefix, tmp_path):
    assert build_with_pkg_config(prefix, "turnpike-win", CLIENTS / "client_win.c", tmp_path) == "2 50\n"


def test_a_protocol_driver_builds_with_pkg_config(prefix, tmp_path):
    assert build_with_pkg_config(prefix, "turnpike-ndis", CLIENTS / "client_ndis.c", tmp_path) == "1 280\n"
    assert build_with_pkg_config(prefix, "turnpike-ndis", CLIENTS / "client_ndis.cpp", tmp_path) == "1 208\n"


def test_clients_build_with_cmake(prefix, tmp_path):
    build_with_cmake(prefix, CLIENTS, tmp_path, f"-DWANTED_VERSION={MAJOR}.{MINOR}")
    assert run(tmp_path / "client_c").endswith(f"\n{VERSION}\n")
    assert run(tmp_path / "client_cpp").endswith(f"\n{VERSION}\n")
    assert run(tmp_path / "client_win") == "2 50\n"
    assert run(tmp_path / "client_ndis_c") == "1 280\n"
    assert run(tmp_path / "client_ndis_cpp") == "1 208\n"


@pytest.mark.parametrize("version", [f"{MAJOR}.{MINOR - 1}", f"{MAJOR}.{MINOR + 1}", f"{MAJOR + 1}.{MINOR}"])
def test_another_minor_version_is_refused(prefix, tmp_path, version):
    with pytest.raises(AssertionError, match="requested version"):
        build_with_cmake(prefix, CLIENTS, tmp_path, f"-DWANTED_VERSION={version}")


def test_the_examples_build_against_it(prefix, tmp_path):
    build_with_cmake(prefix, ROOT / "examples", tmp_path)
    assert run(tmp_path / "version") == f"Turnpike {VERSION}\n"
    assert "closed twice: error 6" in run(tmp_path / "log")


def test_it_may_be_moved(moved, tmp_path):
    assert build_with_pkg_config(moved, "turnpike", CLIENTS / "client_c.c", tmp_path).endswith(f"\n{VERSION}\n")
    assert build_with_pkg_config(moved, "turnpike-win", CLIENTS / "client_win.c", tmp_path) == "2 50\n"
    build_with_cmake(moved, CLIENTS, tmp_path / "cmake")
    assert run(tmp_path / "cmake/client_cpp").endswith(f"\n{VERSION}\n")


def test_no_file_names_the_place_it_was_built_in(prefix):
    for path in prefix.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(ROOT).encode() not in content, path
            assert str(prefix).encode() not in content, path


def test_the_manifest_names_every_file(prefix):
    named = {Path(line) for line in (prefix.parent / "install_manifest.txt").read_text(encoding="utf-8").splitlines()}
    there = {path for path in prefix.rglob("*") if not path.is_dir()}
    assert named == there


def test_every_public_header_is_installed(prefix):
    for ours, theirs in ("turnpike", "turnpike"), ("win", "turnpike-win"):
        wanted = {path.name for path in (ROOT / "include" / ours).iterdir() if path.suffix in (".h", ".H")}
        installed = {path.name for path in (prefix / "include" / theirs).iterdir()}
        assert wanted and installed >= wanted
        # What is there besides are other spellings of the same names, for clients that know <Windows.h>.
        others = installed - wanted
        assert {name.lower() for name in others} <= wanted and bool(others) == (ours == "win")


def test_the_library_needs_libc_and_libstdcxx_alone(prefix):
    allowed = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6", "linux-vdso.so.1", "ld-linux-x86-64.so.2",
               "ld-linux-aarch64.so.1"}
    needed = {Path(line.split()[0]).name for line in run("ldd", library_folder(prefix) / "libturnpike.so").splitlines()}
    assert needed <= allowed
    assert {"libc.so.6", "libstdc++.so.6"} <= needed


def test_the_library_of_ndis_needs_libturnpike_besides(prefix):
    said = run("readelf", "-d", library_folder(prefix) / "libturnpike-ndis.so")
    assert f"[libturnpike.so.{MAJOR}]" in said and f"[libturnpike-ndis.so.{MAJOR}]" in said
    exported = {line.split()[-1] for line in
                run("nm", "-D", "--defined-only", library_folder(prefix) / "libturnpike-ndis.so").splitlines()}
    listed = (ROOT / "src/capi/exports_ndis.txt").read_text(encoding="utf-8").splitlines()
    assert exported == {line for line in listed if line and not line.startswith("#")}


def test_the_library_has_its_name_and_its_links(prefix):
    folder = library_folder(prefix)
    dynamic = run("readelf", "-d", folder / "libturnpike.so")
    assert f"[libturnpike.so.{MAJOR}]" in next(line for line in dynamic.splitlines() if "(SONAME)" in line)
    assert not re.search(r"\((RPATH|RUNPATH|TEXTREL)\)", dynamic)
    assert (folder / "libturnpike.so").readlink() == Path(f"libturnpike.so.{MAJOR}")
    assert (folder / f"libturnpike.so.{MAJOR}").readlink() == Path(f"libturnpike.so.{VERSION}")


def test_what_it_exports_is_listed_and_declared(prefix):
    lines = run("nm", "-D", "--defined-only", library_folder(prefix) / "libturnpike.so").splitlines()
    exported = {line.split()[-1] for line in lines}
    listed = (ROOT / "src/capi/exports.txt").read_text(encoding="utf-8").splitlines()
    assert exported == {line for line in listed if line and not line.startswith("#")}
    headers = "".join(path.read_text(encoding="utf-8") for path in (prefix / "include").rglob("*.h"))
    # strsafe.h declares families by macros that paste names: the preprocessor knows them.
    folder = prefix / "include/turnpike-win"
    headers += run("cc", "-E", "-P", "-I", prefix / "include", "-I", folder, folder / "strsafe.h")
    declared = set(re.findall(r"\w+", headers))
    assert {name for name in exported if name.removeprefix("tp_") not in declared} == set()
