"""The demonstration as a newcomer runs it: once, again, interactively, with other data, and with what can go wrong."""
import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import unittest
from unittest import mock

import scenario
from scenario import ROOT, demo, port_claims, region, wait_for

PARTNERS = ["politie", "gemeente", "jeugdzorg", "woningcorporatie"]
PROCESSES = [name + part for name in ["broker", "hub"] + PARTNERS for part in ("", ".signer")]
LISTENING = "0A"
# 127.0.0.1 in /proc/net/tcp, and the same as an IPv6 socket shows it in /proc/net/tcp6.
LOOPBACK = ("0100007F:", "0000000000000000FFFF00000100007F:")

# A test that runs in the background of a shell inherits that SIGINT is ignored, and so would its children. What is handled here is not ignored there.
signal.signal(signal.SIGINT, signal.default_int_handler)


def alive(pid):
    """Whether the process is there; one that ended and waits to be collected is not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def listening_addresses(pid):
    """Hexadecimal local addresses (as in /proc/net/tcp) on which the process listens."""
    sockets = set()
    for descriptor in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(os.readlink(descriptor))
        except FileNotFoundError:
            pass
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in sockets and (fields[3] == LISTENING or table.startswith("udp")):
                found.append(fields[1])
    return found


class Interactive:
    """The demonstration as a child process whose output is read as it comes. It ends with the test at the latest, with all its processes."""

    def __init__(self, add_cleanup, *arguments):
        add_cleanup(self.end_if_it_runs)
        self.process = subprocess.Popen(scenario.DEMO + [str(a) for a in arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, "RAAKVLAK_BINARIES": str(scenario.BINARIES)})
        self.output = ""
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.output += line

    def wait_until_it_says(self, text):
        wait_for(lambda: text in self.output or self.process.poll() is not None, f"demo says {text!r}", 120)
        assert text in self.output, self.output

    def end_if_it_runs(self):
        if self.process.poll() is None:
            self.end(signal.SIGTERM)

    def end(self, how):
        """Returns the exit code."""
        self.process.send_signal(how)
        code = self.process.wait(timeout=60)
        self.reader.join()
        self.process.stdout.close()
        return code


class FirstAndSecondRunTest(scenario.ScenarioTest):
    """One region over all tests of this class: making one takes seconds."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.state = cls.folder / "region"
        cls.first = demo("--once", "--dir", cls.state, "--json", cls.folder / "first.json")

    def result(self, name="first"):
        return json.loads((self.folder / f"{name}.json").read_text())

    def test_sample_data_gives_at_least_ten_matches_some_in_each_purpose(self):
        self.assert_done(self.first)
        matches = self.result()["matches"]
        self.assertGreaterEqual(len(matches), 10)
        self.assertEqual({match["purpose"] for match in matches}, set(region.PURPOSE_IDS))

    def test_json_has_exactly_the_promised_shape(self):
        result = self.result()
        self.assertEqual(list(result), ["signals", "rejected", "matches"])
        self.assertEqual((result["signals"], result["rejected"]), (836, 4))
        for match in result["matches"]:
            self.assertEqual(list(match), ["id", "purpose", "quality", "rules", "partners", "signals"])
            self.assertRegex(match["id"], "^[0-9a-f]{32}$")
            self.assertIn(match["quality"], ["EXACT", "STRONG"])
            self.assertTrue(set(match["rules"]) <= {"bsn", "surname-initial-birthdate", "address"} and match["rules"])
            self.assertGreaterEqual(len(match["partners"]), 2)
            self.assertEqual({one["partner"] for one in match["signals"]}, set(match["partners"]))
            for one in match["signals"]:
                self.assertEqual(list(one), ["partner", "client_ref", "category"])
                self.assertTrue(one["client_ref"].startswith(one["partner"][:3].upper() + "-2026-"))
        self.assertEqual(len({match["id"] for match in result["matches"]}), len(result["matches"]))

    def test_shows_the_list_one_opened_match_and_its_audit_line(self):
        said = self.first.stdout
        for part in ("signal", "PURPOSE", "--as staff match open", "contact", "--as officer audit list --action open", "ZVH-2026-001"):
            self.assertIn(part, said)
        for name in ("politie.csv:82: birth_date: DATE_INVALID", "gemeente.csv:82: bsn: BSN_INVALID",
                     "jeugdzorg.csv:82: category: CATEGORY_UNKNOWN", "woningcorporatie.csv:82: bsn: BSN_NOT_ENTITLED"):
            self.assertIn(name, said)

    def test_second_run_carries_on_with_the_same_signals_and_the_same_matches(self):
        again = demo("--once", "--dir", self.state, "--json", self.folder / "second.json")
        self.assert_done(again)
        by_id = lambda result: sorted(result["matches"], key=lambda match: match["id"])
        first, second = self.result(), self.result("second")
        self.assertEqual(by_id(second), by_id(first))
        self.assertEqual((second["signals"], second["rejected"]), (first["signals"], first["rejected"]))
        for partner in PARTNERS:
            self.assertRegex(again.stdout, rf"(?m)^  {partner} +0 new +209 known +1 rejected$")

    def test_any_bsn_is_refused_on_a_region_that_was_made_without(self):
        done = demo("--once", "--dir", self.state, "--any-bsn")
        self.assertEqual(done.returncode, 1)
        self.assertIn("without --any-bsn", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_secrets_and_state_are_for_their_owner_only(self):
        private = [path for name in ("keys", "shares", "state") for path in (self.state / name).rglob("*")]
        private += [path for path in (self.state / "pki").iterdir() if path.suffix == ".key"]
        self.assertGreater(len(private), 40)
        for path in private:
            mode = stat.S_IMODE(path.stat().st_mode)
            # What the signer reads may be open to its group: it holds no details, and its parent folder is closed.
            log = path.relative_to(self.state).parts
            if log[0] == "state" and len(log) > 2 and log[2] == "log":
                self.assertEqual(mode & 0o027, 0, path)
            elif path.is_dir() or path.suffix in (".key", ".pem", ".vault", ".seal", ".share"):
                self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)
        for name in ("pki", "keys", "keysets", "shares", "config", "state", "log"):
            self.assertEqual(stat.S_IMODE((self.state / name).stat().st_mode), 0o700, name)

    def test_nothing_runs_after_once(self):
        described = json.loads((self.state / "region.json").read_text())
        self.assertEqual(described["pids"], {})


class RunningTest(scenario.ScenarioTest):
    """A demonstration that stays up."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.state = cls.folder / "region"
        cls.running = cls.start()

    @classmethod
    def start(cls):
        running = Interactive(cls.addClassCleanup, "--dir", cls.state, "--restart-after", 1)
        running.wait_until_it_says("stays up")
        return running

    def described(self):
        return json.loads((self.state / "region.json").read_text())

    def test_region_file_has_what_any_client_needs(self):
        described = self.described()
        self.assertRegex(described["broker"]["address"], r"^127\.0\.0\.1:\d+$")
        self.assertRegex(described["hub"]["address"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(sorted(described["nodes"]), sorted(PARTNERS))
        for node in described["nodes"].values():
            self.assertRegex(node["intake"], r"^127\.0\.0\.1:\d+$")
            self.assertRegex(node["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertEqual(sorted(described["identities"]), sorted(["staff", "officer"] + PARTNERS + [f"operator-{partner}" for partner in PARTNERS]))
        for identity in described["identities"].values():
            for file in ("cert", "key", "ca"):
                self.assertIn("-----BEGIN ", pathlib.Path(identity[file]).read_text())
        for note in ("covenant", "roster"):
            self.assertIn("\n\n\u2014 urn:raakvlak:maastricht:", pathlib.Path(described[note]).read_text())
        self.assertEqual(sorted(described["pids"]), sorted(PROCESSES))
        for name, pid in described["pids"].items():
            self.assertTrue(alive(pid), name)

    def test_processes_listen_on_loopback_and_nothing_else(self):
        described = self.described()
        told = {described["broker"]["address"], described["hub"]["address"]}
        told |= {address for node in described["nodes"].values() for address in node.values()}

        def listening():
            found = set()
            for name, pid in described["pids"].items():
                for address in listening_addresses(pid):
                    self.assertTrue(address.startswith(LOOPBACK), f"{name} listens on {address}")
                    found.add(f"127.0.0.1:{int(address.partition(':')[2], 16)}")
            return found

        # The kernel's table may lack a line while others on this machine open and close theirs.
        wait_for(lambda: listening() == told, f"they listen on {told}: {listening()}", 10)

    def test_a_second_demonstration_in_the_same_folder_is_refused_and_harms_nothing(self):
        done = demo("--once", "--dir", self.state)
        self.assertEqual(done.returncode, 1)
        self.assertIn("running here already", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(sorted(self.described()["pids"]), sorted(PROCESSES))
        self.assertTrue(all(alive(pid) for pid in self.described()["pids"].values()))

    def test_the_commands_it_suggests_work(self):
        here = region.Region(self.state, scenario.BINARIES)
        self.assertGreaterEqual(len(here.json("staff", "match", "list")["matches"]), 10)
        self.assertEqual(len(here.json("politie", "signal", "list")["signals"]), 209)
        self.assertEqual(here.cli("audit", "list", "--limit", "20", identity="officer", check=False).returncode, 0)
        self.assertEqual(here.cli("match", "list", identity="officer", check=False).returncode, 3)
        self.assertEqual(here.cli("signal", "withdraw", "POL-2026-0001", "--reason", "risk_over", identity="politie", check=False).returncode, 0)

    def test_a_process_that_is_ended_by_hand_stops_nothing_and_is_started_again(self):
        before = self.described()["pids"]
        os.kill(before["woningcorporatie"], signal.SIGTERM)
        self.running.wait_until_it_says("woningcorporatie ended (0); the others go on")
        self.running.wait_until_it_says("woningcorporatie runs again")
        after = self.described()["pids"]
        self.assertTrue(alive(after["woningcorporatie"]))
        self.assertEqual({name for name in before if before[name] != after[name]}, {"woningcorporatie"})

    def test_when_it_is_ended_either_way_no_process_is_left_and_it_starts_again(self):
        for running, how in ((self.running, signal.SIGINT), (None, signal.SIGTERM)):
            with self.subTest(how=how):
                running = running or self.start()
                pids = self.described()["pids"]
                self.assertEqual(sorted(pids), sorted(PROCESSES))
                self.assertEqual(running.end(how), 0, running.output)
                self.assertEqual([name for name, pid in pids.items() if alive(pid)], [])
                self.assertNotIn("Traceback", running.output)


class InterruptedTest(scenario.ScenarioTest):
    def test_interrupted_while_it_starts_it_leaves_no_process_and_can_be_run_again(self):
        state = self.folder / "interrupted"
        running = Interactive(self.addCleanup, "--once", "--dir", state)
        pids = wait_for(lambda: (state / "region.json").exists() and json.loads((state / "region.json").read_text())["pids"],
                        "processes are started")
        self.assertEqual(running.end(signal.SIGINT), 130, running.output)
        self.assertEqual([name for name, pid in pids.items() if alive(pid)], [])
        self.assertNotIn("Traceback", running.output)
        self.assert_done(demo("--once", "--dir", state, "--json", self.folder / "after.json"))
        self.assertGreaterEqual(len(json.loads((self.folder / "after.json").read_text())["matches"]), 10)


    def test_interrupted_in_the_moment_in_which_a_process_starts_that_process_is_known(self):
        here = region.Region(self.folder / "starts", scenario.BINARIES)
        (here.folder / "log").mkdir(parents=True)
        program = here.folder / "program"
        program.write_text("#!/bin/sh\nexec sleep 60\n")
        program.chmod(0o700)
        here.binary = lambda _: program
        popen = subprocess.Popen

        def interrupted(*arguments, **more):
            process = popen(*arguments, **more)
            os.kill(os.getpid(), signal.SIGINT)
            return process

        with mock.patch.object(subprocess, "Popen", interrupted), self.assertRaises(KeyboardInterrupt):
            here.start_one("broker")
        here.kill_one("broker")
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)


class OtherDataTest(scenario.ScenarioTest):
    def test_an_empty_folder_gives_an_empty_result_a_missing_file_means_no_rows_and_other_files_are_ignored(self):
        data = self.folder / "data"
        data.mkdir()
        out = self.folder / "result.json"
        self.assert_done(demo("--once", "--dir", self.folder / "region", "--data", data, "--json", out))
        self.assertEqual(json.loads(out.read_text()), {"signals": 0, "rejected": 0, "matches": []})
        for partner in ("politie", "gemeente"):
            shutil.copy(scenario.DEMO_DATA / f"{partner}.csv", data)
        (data / "jeugdzorg.csv").write_text((scenario.DEMO_DATA / "jeugdzorg.csv").read_text().splitlines()[0] + "\n")
        (data / "reclassering.csv").write_text("not,a,partner\n")
        (data / "notes.txt").write_text("nothing to do with it")
        (data / "politie.csv.bak").write_text("older")
        self.assert_done(demo("--once", "--dir", self.folder / "region", "--data", data, "--json", out))
        result = json.loads(out.read_text())
        self.assertEqual((result["signals"], result["rejected"]), (2 * 209, 2))
        self.assertGreater(len(result["matches"]), 0)
        for match in result["matches"]:
            self.assertEqual(match["partners"], ["gemeente", "politie"])

    def test_a_folder_that_is_not_there_is_a_usage_error(self):
        done = demo("--once", "--dir", self.folder / "region-2", "--data", self.folder / "nowhere")
        self.assertEqual(done.returncode, 2)
        self.assertFalse((self.folder / "region-2").exists())


class PortsTest(unittest.TestCase):
    def test_no_region_takes_a_port_that_another_has_or_on_which_something_listens(self):
        ports = port_claims.free_ports(20)
        self.assertEqual(len(set(ports)), 20)
        port = ports[0]
        another = lambda: subprocess.run([sys.executable, "-c", f"import port_claims; print(port_claims.claim({port}))"], cwd=ROOT / "deploy" / "region",
                                         stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
        self.assertEqual(another(), "False\n")
        self.assertTrue(port_claims.claim(port), "whoever has it still has it")
        port_claims.CLAIMED.pop(port).close()
        self.assertEqual(another(), "True\n")
        with socket.create_server(("127.0.0.1", port)):
            self.assertEqual(another(), "False\n")
            self.assertFalse(port_claims.claim(port))


class HelpTest(unittest.TestCase):
    def test_help_names_every_flag_and_changes_nothing(self):
        done = subprocess.run([ROOT / "deploy" / "demo", "--help"], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for flag in ("--once", "--dir", "--data", "--json", "--any-bsn", "--restart-after", "Examples"):
            self.assertIn(flag, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
