"""Nothing that is secret decides on a branch or an address: crypto/ and the machine code of libsodium and libdecaf.

Each case of constant_time.cc runs under memcheck with its secrets marked undefined. A report is a finding unless
- it is the conditional jump of an assert inside libdecaf (Debian builds it with asserts): the machine code shows that one
  side goes straight to __assert_fail. What is asserted holds for every input, so such a jump always goes the same way;
- it stands in DECLARED: a bit that we look at on purpose, which has one value except with probability 2^-250.
A declared place that is not reported any more fails as well, so that the list stays true.

usage: constant_time_test.py PROGRAM
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

PROGRAM = None

# case -> functions of ours that branch on a bit derived from a secret, once for each line, and why that tells nothing.
DECLARED = {
    # Whether the input hashes to the identity: nobody knows such an input, and it is answered with an error.
    "hash": ["oprf.cc HashToGroup"],
    # The same, and a random scalar that is zero is drawn again.
    "blind": ["oprf.cc HashToGroup", "scalar.cc Random"],
    # A blind has an inverse, and an unblinded element is not the identity: our own code guarantees both.
    "unblind": ["scalar.cc Invert", "secret_point.cc ToElement"],
    # A coefficient that is zero is an error.
    "disclose": ["derive.cc Derive", "element.cc MulBase"],
    # Products are not the identity, and a share is not zero.
    "evaluate": ["element.cc MulBase", "element.cc Mul", "element.cc DecodeAndMul", "element.cc DecodeAndMul"],
    "scalars": ["scalar.cc Invert"],
    # Whether a share is canonical: it is, or the store is damaged.
    "shares_from_store": ["scalar.cc Decode"],
    "points": ["secret_point.cc ToElement"],
    # A random scalar that is zero is drawn again, and a product is not the identity.
    "contribute": ["scalar.cc Random", "element.cc MulBase"],
    # Whether the result of the key exchange is zero: it is for public keys of small order only, which are refused.
    "box": [" crypto_kx_client_session_keys", "share_box.cc EncryptShare"],
    # The same; whether a box opens, and holds a share that is canonical and not zero: otherwise its sender is named.
    "open_box": [" crypto_kx_server_session_keys", "share_box.cc DecryptShare",
                 " crypto_aead_xchacha20poly1305_ietf_decrypt_detached", "aead.cc Decrypt", "scalar.cc Decode",
                 "scalar.cc DecodeNonZero"],
    # Whether a share fits its commitments: otherwise its sender is named; and a share that is zero has no product.
    "receive": ["element.cc MulBase", "sharing.cc CheckShare"],
}


class Libdecaf:
    """Where libdecaf lies in the process, and what its machine code does there."""

    def __init__(self, path, base):
        self.path = path
        self.base = base
        self.known = {}

    def is_assert(self, address):
        """Whether the instruction at `address` is a conditional jump of which one side is __assert_fail."""
        if address not in self.known:
            self.known[address] = self._is_assert(address - self.base)
        return self.known[address]

    def _instructions(self, offset):
        out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={offset}",
                              f"--stop-address={offset + 96}", self.path], capture_output=True, text=True, check=True).stdout
        return re.findall(r"^ *([0-9a-f]+):\s+(\S+)\s*(.*)$", out, re.MULTILINE)

    def _is_assert(self, offset):
        instructions = self._instructions(offset)
        if len(instructions) < 2 or int(instructions[0][0], 16) != offset:
            return False
        _, name, operand = instructions[0]
        if not re.fullmatch(r"j[a-z]+", name) or name == "jmp":
            return False
        return any(self._fails(int(side, 16)) for side in (operand.split()[0], instructions[1][0]))

    def _fails(self, offset):
        for _, name, operand in self._instructions(offset)[:8]:
            if name.startswith("call"):
                return "__assert_fail" in operand
            if name.startswith(("j", "ret")):
                return False
        return False


def place(frame):
    """Source file and function of a frame of ours: "scalar.cc Invert". An inlined function has no namespace."""
    return (frame.findtext("file") or "") + " " + (frame.findtext("fn") or "").split("(")[0].split("[")[0].split("::")[-1]


def run_case(case):
    """Returns the reports that are no assert of libdecaf, as (kind, place, line, text)."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "reports.xml")
        done = subprocess.run(["valgrind", "--quiet", "--error-limit=no", "--xml=yes", f"--xml-file={path}", PROGRAM, case],
                              capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{case}: exit code {done.returncode}\n{done.stderr}")
        library, base = done.stdout.split()
        libdecaf = Libdecaf(library, int(base, 16))
        root = xml.etree.ElementTree.parse(path).getroot()
    reports = []
    for error in root.findall("error"):
        frames = error.find("stack").findall("frame")
        top = frames[0]
        if (error.findtext("kind") == "UninitCondition" and "libdecaf" in (top.findtext("obj") or "")
                and libdecaf.is_assert(int(top.findtext("ip"), 16))):
            continue
        text = "\n".join(f"    {frame.findtext('fn') or frame.findtext('ip')} {frame.findtext('obj')} "
                         f"{frame.findtext('file') or ''}:{frame.findtext('line') or ''}" for frame in frames)
        reports.append((error.findtext("kind"), place(top), top.findtext("line"), text))
    return reports


def is_declared(report, places):
    return report[0] == "UninitCondition" and report[1] in places


class ConstantTimeTest(unittest.TestCase):
    def all_cases(self):
        return subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True).stdout.split()

    def test_without_valgrind_the_program_refuses(self):
        for case in self.all_cases():
            self.assertEqual(subprocess.run([PROGRAM, case], capture_output=True, check=False).returncode, 3, case)

    def test_every_case_is_judged(self):
        self.assertEqual([case for case in self.all_cases() if not case.startswith("control_")], sorted(DECLARED))

    def test_no_branch_or_address_depends_on_a_secret(self):
        for case, declared in DECLARED.items():
            with self.subTest(case):
                reports = run_case(case)
                for report in reports:
                    self.assertTrue(is_declared(report, declared), f"{case}: {report[0]}\n{report[3]}")
                # Every declared place is there, and no other line of it.
                self.assertEqual(sorted(where for where, _ in {report[1:3] for report in reports}), sorted(declared))

    def test_the_controls_are_found(self):
        controls = [case for case in self.all_cases() if case.startswith("control_")]
        self.assertEqual(len(controls), 4)
        for case in controls:
            with self.subTest(case):
                reports = run_case(case)
                every = [where for places in DECLARED.values() for where in places]
                self.assertTrue([report for report in reports if not is_declared(report, every)], "nothing was reported")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    PROGRAM = sys.argv.pop()
    unittest.main(verbosity=2)
