"""What the scenario tests share: a folder that goes when the test was good, and the demonstration as a child process."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "region"))

import port_claims  # noqa: E402: found by the path above
import region  # noqa: E402

BINARIES = pathlib.Path(os.environ.get("RAAKVLAK_BINARIES", ROOT / "build" / "release"))
DEMO_DATA = ROOT / "deploy" / "demo-data"
DEMO = [sys.executable, str(ROOT / "deploy" / "region" / "demo.py")]
FULL = os.environ.get("RAAKVLAK_FULL", "0") == "1"
# Far above what anything here takes, so that only what hangs is cut off.
DEMO_SECONDS = 600


def demo(*arguments):
    """Runs the demonstration to its end; returns the completed process. One that hangs is told to stop, so that its region goes with it."""
    with subprocess.Popen(DEMO + [str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "RAAKVLAK_BINARIES": str(BINARIES)}) as process:
        try:
            out, err = process.communicate(timeout=DEMO_SECONDS)
        except BaseException:
            process.terminate()
            process.communicate()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for(condition, what, seconds=60):
    """Polls until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def content(path):
    """Of a file that a process may delete while we look; empty when it is gone."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


class ScenarioTest(unittest.TestCase):
    """Each class has one folder. It stays when something failed, also before the first test, and its place is printed."""
    maxDiff = 4000
    failed = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="raakvlak-scenario-"))
        cls.addClassCleanup(cls.remove_folder)

    @classmethod
    def remove_folder(cls):
        if cls.failed is False:
            shutil.rmtree(cls.folder)
        else:
            print(f"state is kept in {cls.folder}", file=sys.stderr)

    def run(self, result=None):
        bad = lambda: len(result.failures) + len(result.errors)
        before = bad()
        super().run(result)
        type(self).failed = bool(self.failed) or bad() > before
        return result

    def assert_done(self, process):
        self.assertEqual(process.returncode, 0, f"{process.stdout}\n{process.stderr}")
