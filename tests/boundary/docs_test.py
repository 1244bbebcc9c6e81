#!/usr/bin/env python3
"""Documents say what is there: tests named in the threat model exist, links lead somewhere, commands of the README exist."""
import pathlib
import re
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RAAKVLAK = sys.argv.pop() if len(sys.argv) > 1 else None


def tests():
    """Suite.Name of every GoogleTest, every suite, and every name that CMake registers."""
    names = set()
    for path in (ROOT / "tests").rglob("*.cc"):
        for suite, name in re.findall(r"^TEST(?:_[FP])?\(\s*(\w+),\s*(\w+)\)", path.read_text(), re.M):
            names |= {f"{suite}.{name}", suite}
    for path in (ROOT / "tests").rglob("CMakeLists.txt"):
        text = path.read_text()
        names |= set(re.findall(r"add_test\(NAME (\S+)", text))
        names |= {f"scenario.{name}" for name in re.findall(r"^raakvlak_scenario\((\w+)", text, re.M)}
    return names


class DocumentsTest(unittest.TestCase):
    def test_tests_named_in_the_threat_model_exist(self):
        text = (ROOT / "docs/threat_model.md").read_text()
        named = {name for name in re.findall(r"`([^`]+)`", text)
                 if re.fullmatch(r"[A-Z]\w*Test(\.\w+)?|scenario\.\w+|\w+_test", name)}
        self.assertGreater(len(named), 20)
        self.assertEqual(named - tests(), set())

    def test_links_between_documents_lead_somewhere(self):
        for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
            for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
                if "://" not in target:
                    self.assertTrue((path.parent / target).exists(), f"{path.relative_to(ROOT)}: {target}")

    def test_commands_of_the_documents_exist(self):
        for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
            for group, verb in re.findall(r"raakvlak (?:--\S+ \S+ )*([a-z]+) ([a-z]+)", path.read_text()):
                with self.subTest(f"{path.name}: raakvlak {group} {verb}"):
                    done = subprocess.run([RAAKVLAK, group, verb, "--help"], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
