"""The bench as a user runs it: targets hold on a small region, JSON has its shape, and form errors end with the right exit code."""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

QUALITY = sys.argv.pop(1) if len(sys.argv) > 1 else "build/release/tests/quality/quality"
MAKE_FEBRL = pathlib.Path(__file__).resolve().parent / "make_febrl.py"
FULL = os.environ.get("RAAKVLAK_FULL", "0") == "1"
HEADER = "rec_id, given_name, surname, street_number, address_1, address_2, suburb, postcode, state, date_of_birth, soc_sec_id"


def run(*arguments):
    return subprocess.run([QUALITY, *map(str, arguments)], capture_output=True, text=True)


def figures(*arguments):
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Form:
    """People and spoiled copies in FEBRL's form, made on the spot: the public files are not part of the project."""

    def __init__(self, seed, people):
        self.random = random.Random(seed)
        syllable = lambda: self.random.choice("bcdfghjklmnprstvw") + self.random.choice("aeiou") + self.random.choice(["", "l", "n", "r", "s"])
        name = lambda: "".join(syllable() for _ in range(self.random.randint(2, 3)))
        names, surnames = [name() for _ in range(400)], [name() for _ in range(1500)]
        self.people = [{"given_name": self.random.choice(names), "surname": self.random.choice(surnames),
                        "street_number": str(self.random.randint(1, 200)), "postcode": str(self.random.randint(2000, 7000)),
                        "date_of_birth": f"{self.random.randint(1905, 1998)}{self.random.randint(1, 12):02}{self.random.randint(1, 28):02}",
                        "soc_sec_id": str(number)}
                       for number in self.random.sample(range(1_000_000, 10_000_000), people)]

    def spoiled(self, person):
        row = dict(person)
        for field in self.random.sample(sorted(row), self.random.choice([0, 1, 1])):
            text, at = row[field], self.random.randrange(len(row[field]))
            row[field] = self.random.choice(["", text[:at] + self.random.choice("0123456789" if text.isdigit() else "aeionr") + text[at + 1:]])
        return row

    def line(self, number, kind, row):
        cells = {**dict.fromkeys(HEADER.split(", "), ""), **row, "rec_id": f"rec-{number}-{kind}"}
        return ", ".join(cells[column] for column in HEADER.split(", "))


class FiguresTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="raakvlak-quality-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def files(self, seed=1, people=3000):
        form = Form(seed, people)
        first = [form.line(n, "org", person) for n, person in enumerate(form.people)]
        second = [form.line(n, "dup-0", form.spoiled(person)) for n, person in enumerate(form.people)]
        return first, second

    def write(self, name, lines, ending="\n", last=True):
        path = self.folder / name
        path.write_bytes((ending.join([HEADER, *lines]) + (ending if last else "")).encode())
        return path

    def test_two_files_are_linked_and_one_is_deduplicated(self):
        first, second = self.files()
        linked = figures(self.write("a.csv", first), self.write("b.csv", second, "\r\n", last=False))
        merged = figures(self.write("c.csv", first + second))
        for result in (linked, merged):
            # Programs read these; whatever else there is to tell stands in the subgroups.
            self.assertEqual(set(result), {"without_id", "with_id", "subgroups"})
            self.assertEqual(result["subgroups"]["all"]["parts"]["without_id"]["true_pairs"], 3000)
            self.assertGreaterEqual(result["without_id"]["precision"], 0.999)
            self.assertGreaterEqual(result["without_id"]["recall"], 0.95)
            self.assertGreaterEqual(result["with_id"]["recall"], 0.985)
            self.assertGreaterEqual(result["with_id"]["recall"], result["without_id"]["recall"])
            self.assertLessEqual(len(result["without_id"]["rules"]), 8)
            for part in ("without_id", "with_id"):
                self.assertEqual(set(result[part]), {"precision", "recall", "f1", "rules"})
            self.assertNotIn("bsn", [rule["id"] for rule in result["without_id"]["rules"]])
            self.assertIn("bsn", [rule["id"] for rule in result["with_id"]["rules"]])
        found = lambda result: result["subgroups"]["all"]["parts"]["with_id"]["found_pairs"]
        self.assertEqual(found(linked), found(merged))

    def test_a_large_file_keeps_the_precision_of_a_small_one(self):
        for originals in (2_000, 50_000) if FULL else (4_000,):
            made = subprocess.run([sys.executable, MAKE_FEBRL, "--originals", str(originals), "--seed", "5"],
                                  check=True, capture_output=True).stdout
            path = self.folder / "made.csv"
            path.write_bytes(made)
            result = figures(path)
            self.assertGreaterEqual(result["without_id"]["precision"], 0.998 if originals > 20_000 else 0.999)
            self.assertGreaterEqual(result["without_id"]["recall"], 0.87)
            self.assertGreaterEqual(result["with_id"]["recall"], 0.98)

    def test_the_region_stays_near_the_targets(self):
        people, seeds = (200_000, (1, 2, 3)) if FULL else (100_000, (1,))
        for seed in seeds:
            with self.subTest(seed=seed):
                result = figures("--people", people, "--seed", seed)
                # Somewhat below what docs/quality.md measures: accidents come in ones and twos.
                self.assertGreaterEqual(result["with_id"]["precision"], 0.999)
                self.assertGreaterEqual(result["with_id"]["recall"], 0.987)
                self.assertGreaterEqual(result["subgroups"]["all"]["parts"]["no_id_on_either_side"]["recall"], 0.95 if FULL else 0.90)
                if FULL:
                    for by, groups in result["subgroups"].items():
                        if by == "all":
                            continue
                        self.assertLessEqual(groups["recall_gap"], 0.035, by)

    def test_the_same_seed_gives_the_same_figures(self):
        first = run("--people", 2000, "--seed", 9, "--json")
        again = run("--people", 2000, "--seed", 9, "--json")
        self.assertEqual((first.returncode, first.stdout), (0, again.stdout))

    def test_more_errors_are_missed_more_often(self):
        recall = [figures("--people", 20_000, "--level", level)["without_id"]["recall"] for level in ("low", "middle", "high")]
        self.assertEqual(recall, sorted(recall, reverse=True))

    def test_a_file_of_another_form_ends_with_its_line(self):
        done = run(self.write("bad.csv", ["rec-1-org, only"]), "--json")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("line 2", done.stderr)
        self.assertIn("bad.csv", done.stderr)
        done = run(self.write("number.csv", [", " * HEADER.count(",")]))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("line 2: rec_id holds no number", done.stderr)
        (self.folder / "header.csv").write_text("id, name\n1, jan\n")
        done = run(self.folder / "header.csv")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("rec_id", done.stderr)
        self.assertEqual(run(self.folder / "none.csv").returncode, 1)
        self.assertEqual(run("--level", "awful").returncode, 2)
        for people in ("-5", "0", "many", "6000000"):
            self.assertEqual(run("--people", people).returncode, 2, people)


if __name__ == "__main__":
    unittest.main(verbosity=2)
