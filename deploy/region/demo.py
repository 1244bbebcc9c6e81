"""The demonstration: see deploy/demo --help, which builds first and then runs this."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import signal
import sys
import threading
import time

import region

# Where a person's terminal ends up; text of partners is already stripped of control characters by `raakvlak`.
SHOWN_REJECTIONS = 10
# Matches that are opened at the same time: each waits until its opening stands in the log.
AT_ONCE = 16


def say(text=""):
    print(text, flush=True)


def push_all(here, data):
    """Pushes the file of each partner. Returns the numbers of live signals and rejected rows."""
    signals = rejected = 0
    for partner in region.PARTNER_IDS:
        path = data / f"{partner}.csv"
        if not path.exists():
            say(f"  {partner:17} no file")
            continue
        summary = here.push(partner, path)
        bad = summary["rejected"]
        say(f"  {partner:17} {summary['accepted']:6} new  {summary['known']:6} known  {len(bad):4} rejected")
        for row in bad[:SHOWN_REJECTIONS]:
            say(f"    {path.name}:{row['line']}: {row['column'] or '-'}: {row['reason']}")
        if len(bad) > SHOWN_REJECTIONS:
            say(f"    ... and {len(bad) - SHOWN_REJECTIONS} more")
        # A row that stands twice in a file is known the second time, and still one signal.
        signals += min(summary["accepted"] + summary["known"], here.live(partner))
        rejected += len(bad)
    return signals, rejected


def show(here, identity, *arguments):
    say(f"\n$ raakvlak --region {os.path.relpath(here.folder)}/region.json --as {identity} {' '.join(arguments)}")
    done = here.cli(*arguments, identity=identity)
    say(done.stdout.rstrip())


def write_json(here, path, signals, rejected, matches):
    opened = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        contents = list(pool.map(here.open, matches))
    for match, content in zip(matches, contents):
        opened.append({"id": match["id"], "purpose": match["purpose"], "quality": match["quality"], "rules": match["rules"],
                       "partners": match["partners"],
                       "signals": [{key: one[key] for key in ("partner", "client_ref", "category")} for one in content["signals"]]})
    region.write(pathlib.Path(path), json.dumps({"signals": signals, "rejected": rejected, "matches": opened}, indent=2, ensure_ascii=False) + "\n")
    say(f"\nAll {len(opened)} matches opened and written to {path}")


def demonstrate(here, options):
    here.create()
    say("region: starting broker, hub and four nodes")
    here.start()
    say("\nNobody holds a key: the nodes made each together. Its code is the same at all; operators compare it by telephone:")
    for one in here.ceremonies():
        say(f"  {one['purpose']:15} {one['class']:8} epoch {one['epoch']}   {one['code']}")
    say("\nThe partners' systems push their records, each to its own node:")
    data = pathlib.Path(options.data) if options.data else pathlib.Path(__file__).resolve().parent.parent / "demo-data"
    signals, rejected = push_all(here, data)
    say("\nThe nodes turn identities into tokens together; the broker finds which tokens overlap, blind ...")
    here.wait_until_submitted()
    matches = here.wait_until_matched()
    say(f"{signals} live signals, {rejected} rows rejected, {len(matches)} matches.")
    show(here, "staff", "match", "list")
    if matches:
        show(here, "staff", "match", "open", matches[0]["id"], "--case", "ZVH-2026-001", "--reason", "overleg-aanvraag")
        show(here, "officer", "audit", "list", "--action", "open")
    if options.json:
        write_json(here, options.json, signals, rejected, matches)


def stay_up(here, stop, restart_after):
    where = f"--region {os.path.relpath(here.folder)}/region.json"
    raakvlak = os.path.relpath(here.binary("raakvlak"))
    say(f"""
The region stays up; Ctrl-C stops it. Try:
  {raakvlak} {where} --as staff match list
  {raakvlak} {where} --as staff match open ID --case ZVH-2026-002 --reason "..."
  {raakvlak} {where} --as officer audit list --limit 20
  {raakvlak} {where} --as politie signal list
  {raakvlak} {where} --as politie signal withdraw POL-2026-0001 --reason risk_over
  {raakvlak} {where} --as operator-politie key status
  {raakvlak} {where} --as officer match list          # refused: officers see no matches""")
    again = {}
    while not stop.wait(0.5):
        for name, process in list(here.processes.items()):
            if process.poll() is None:
                continue
            if name not in again:
                # Whoever stopped it wants to see how the others go on.
                again[name] = time.monotonic() + restart_after
                say(f"{name} ended ({process.returncode}); the others go on, and it is started again in {restart_after} s. "
                    f"Its last words: {here.last_words(name)}")
            elif time.monotonic() >= again[name]:
                del again[name]
                try:
                    here.restart_one(name)
                    say(f"{name} runs again")
                except region.RegionError as error:
                    say(str(error))


def main():
    parser = argparse.ArgumentParser(prog="deploy/demo")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--dir", default="deploy/state")
    parser.add_argument("--data")
    parser.add_argument("--json")
    parser.add_argument("--any-bsn", action="store_true")
    parser.add_argument("--restart-after", type=int, default=30)
    options = parser.parse_args()
    if options.data and not pathlib.Path(options.data).is_dir():
        parser.error(f"--data {options.data}: no such folder")
    stop = threading.Event()

    def end(*_):
        stop.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    here = region.Region(options.dir, os.environ.get("RAAKVLAK_BINARIES", region.ROOT / "build/release"), options.any_bsn, say)
    code = 0
    try:
        demonstrate(here, options)
        if not options.once:
            stay_up(here, stop, options.restart_after)
    except KeyboardInterrupt:
        say("\nstopping")
        code = 0 if not options.once else 130
    except region.RegionError as error:
        print(f"demo: {error}", file=sys.stderr)
        code = 1
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        here.stop()
    return code


sys.exit(main())
