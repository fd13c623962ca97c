"""The tree that a rule looks at: its files, and C++ text with comments and literals told apart.

A rule is run in the root of the tree (so a test can run it in one of its own); its tables lie beside the rule.
"""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

TABLES = Path(__file__).resolve().parent
CODE = ("*.c", "*.cpp", "*.h")


def files(*globs):
    """Files that git tracks or would track, relative to the root; of each glob, matched against the whole path."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    paths = sorted({path for path in listed.split("\0") if path})
    return [path for path in paths if (not globs or matches(path, globs)) and Path(path).is_file()]


def matches(path, globs):
    return any(fnmatch.fnmatchcase(path, glob) for glob in globs)


def read(path):
    return Path(path).read_text(encoding="utf-8", errors="replace")


def table(name):
    """The lines of a table with their numbers, without blank lines and lines of comment."""
    lines = enumerate(read(TABLES / name).splitlines(), 1)
    return [(number, line.strip()) for number, line in lines if line.strip() and not line.startswith("#")]


TOKEN = re.compile(r"""(?P<comment> //(?:[^\n\\]|\\.)* | /\*.*?\*/ )
                     | (?P<literal> \bR"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)" | "(?:\\.|[^"\\\n])*"
                                  | (?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*' )""", re.VERBOSE | re.DOTALL)


def blank(text):
    """As many lines of as many characters, with nothing in them."""
    return re.sub(r"[^\n]", " ", text)


def without(text, *kinds):
    """The text with its tokens of these kinds (comment, literal) blanked; everything else stays where it is."""
    return TOKEN.sub(lambda token: blank(token[0]) if token.lastgroup in kinds or
                     (token["literal"] and "literal" in kinds) else token[0], text)


def comments(text):
    """The comments alone, each where it stands."""
    kept = []
    end = 0
    for token in TOKEN.finditer(text):
        kept += [blank(text[end:token.start()]), token[0] if token["comment"] else blank(token[0])]
        end = token.end()
    return "".join(kept) + blank(text[end:])


def finish(findings, advice=""):
    """Prints what was found and ends the rule: 0 where that is nothing."""
    for finding in findings[:40]:
        print(finding)
    if len(findings) > 40:
        print(f"and {len(findings) - 40} more")
    if findings and advice:
        print(advice)
    sys.exit(1 if findings else 0)
