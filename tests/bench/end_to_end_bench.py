#!/usr/bin/python3
"""How near the whole region comes to the cost of its group operations: one partner pushes many signals of two rules each, all six
processes on this machine.

  tests/bench/end_to_end_bench.py                      # 20,000 signals, build/release
  tests/bench/end_to_end_bench.py --signals 2000 --json
  tests/bench/end_to_end_bench.py --before-others      # as root, on a machine that others use too

unit            one crypto_scalarmult_ristretto255
client, holder  one token at the client (three proofs) and at one holder, by token_bench in batches of 1024, one thread
tokens          two of each signal: BSN, and surname with initial and birth date
ideal           tokens * (client + 3 * holder) / cores: nothing but group operations, on all cores all the time
real            from the start of the push until the last signal is SUBMITTED
ratio           ideal / real; the aim is 0.6
busy            the share of the cores' time that the region used; what is missing is waiting (or others on this machine)

token_bench runs before and after the push, and the mean counts: cores that are shared are slow for both. Not part of ctest.
"""
import argparse
import csv
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "deploy/region"))
from region import Region  # noqa: E402

AIM = 0.6
QUORUM = 3
RULES = 2


def valid_bsn(source):
    while True:
        digits = [source.randint(0, 9) for _ in range(8)]
        last = sum(weight * digit for weight, digit in zip(range(9, 1, -1), digits)) % 11
        if last < 10 and any(digits):
            return "".join(map(str, digits + [last]))


def write_signals(path, count, seed):
    source = random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    with open(path, "w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["client_ref", "purpose", "kind", "category", "bsn", "surname", "given_names", "birth_date", "contact", "note"])
        for i in range(count):
            born = datetime.date(1960, 1, 1) + datetime.timedelta(days=source.randrange(16000))
            rows.writerow([f"B-{i}", "onaantastbaren", "signal", "geweld", valid_bsn(source), "".join(source.choices(letters, k=9)),
                           source.choice(letters) + "an", born, "team, 043-5550101", "Een notitie van gewone lengte."])


def token_costs(binaries):
    """Microseconds of CPU: unit, client and holder."""
    done = subprocess.run([binaries / "tests/bench/token_bench", "--benchmark_filter=^(HolderWithProof|ClientWithThreeProofs)/1024/",
                           "--benchmark_format=json"], capture_output=True, text=True, check=True)
    runs = {run["name"].split("/")[0]: run for run in json.loads(done.stdout)["benchmarks"]}
    holder, client = runs["HolderWithProof"], runs["ClientWithThreeProofs"]
    return {"unit": (holder["unit_us"] + client["unit_us"]) / 2, "client": client["per_token_us"], "holder": holder["per_token_us"]}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def put_before_others(pid):
    """Linux weighs sessions, then the processes in each; every server is a session of its own."""
    pathlib.Path(f"/proc/{pid}/autogroup").write_text("-20")


def measure(binaries, count, seed, before_others):
    if before_others:
        put_before_others("self")
    with tempfile.TemporaryDirectory(prefix="raakvlak-bench-") as folder:
        signals = pathlib.Path(folder, "signals.csv")
        write_signals(signals, count, seed)
        region = Region(pathlib.Path(folder, "region"), binaries, any_bsn=True, log=lambda line: None)
        region.create()
        before = token_costs(binaries)
        region.start()
        try:
            if before_others:
                for process in region.processes.values():
                    put_before_others(process.pid)
            cpu_before = {name: cpu_seconds(process.pid) for name, process in region.processes.items()}
            children_before = sum(os.times()[2:4])
            load = os.getloadavg()[0]
            start = time.time()
            summary = region.push("politie", signals)
            pushed = time.time()
            if summary["accepted"] != count:
                raise SystemExit(f"only {summary['accepted']} of {count} signals were accepted")
            # Looking costs the node time; when it was done stands in the signals.
            region.wait_until_submitted(["politie"], interval=2)
            cpu = {name: cpu_seconds(process.pid) - cpu_before[name] for name, process in region.processes.items()}
            cpu["raakvlak"] = sum(os.times()[2:4]) - children_before
            listed = region.json("politie", "signal", "list")["signals"]
        finally:
            region.stop()
        after = token_costs(binaries)
    if len(listed) != count or any(signal["state"] != "submitted" for signal in listed):
        raise SystemExit("not every signal was submitted")
    end = max(datetime.datetime.fromisoformat(signal["changed"].replace("Z", "+00:00")).timestamp() for signal in listed)
    costs = {name: (before[name] + after[name]) / 2 for name in before}
    cores = len(os.sched_getaffinity(0))
    tokens = RULES * count
    ideal = tokens * (costs["client"] + QUORUM * costs["holder"]) / 1e6 / cores
    real = end - start
    return {"signals": count, "tokens": tokens, "cores": cores, "load": load, "unit_us": costs["unit"], "client_us": costs["client"],
            "holder_us": costs["holder"], "push_seconds": pushed - start, "cpu_seconds": cpu, "ideal_seconds": ideal,
            "real_seconds": real, "ratio": ideal / real, "busy": sum(cpu.values()) / real / cores, "tokens_per_second": tokens / real}


def show(result):
    print(f"unit {result['unit_us']:.1f} us; a token costs the client {result['client_us'] / result['unit_us']:.2f} units, "
          f"each of {QUORUM} holders {result['holder_us'] / result['unit_us']:.2f}; {result['cores']} cores, load before {result['load']:.1f}")
    print(f"{result['signals']} signals, {result['tokens']} tokens, pushed in {result['push_seconds']:.1f} s")
    print("CPU seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in result["cpu_seconds"].items()) +
          f"; all {sum(result['cpu_seconds'].values()):.1f}, cores busy {result['busy']:.0%}")
    print(f"ideal {result['ideal_seconds']:.1f} s, real {result['real_seconds']:.1f} s, {result['tokens_per_second']:.0f} tokens/s, "
          f"ratio {result['ratio']:.2f} (aim {AIM})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binaries", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--signals", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--before-others", action="store_true", help="take the cores before other programs (root, Linux autogroup)")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = measure(arguments.binaries.resolve(), arguments.signals, arguments.seed, arguments.before_others)
    print(json.dumps(result)) if arguments.json else show(result)


if __name__ == "__main__":
    main()
