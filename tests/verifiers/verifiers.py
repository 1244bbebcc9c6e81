"""The two independent verifiers of a log's folder: a Go program on golang.org/x/mod/sumdb, one on Node's standard library."""
import dataclasses
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
# Debian's golang-golang-x-mod-dev.
GOPATH = "/usr/share/gocode"


@dataclasses.dataclass
class Answer:
    """What a verifier said: size and root of a good log, or the fault of another."""
    exit_code: int
    size: int = -1
    root: str = ""
    cosigned: dict = dataclasses.field(default_factory=dict)
    fault: str = ""


def build_go(folder):
    """Builds the Go verifier in `folder`, unless it is there already; returns its path. No network is used."""
    source = HERE / "go" / "verify_log.go"
    binary = pathlib.Path(folder) / "verify_log"
    if binary.exists() and binary.stat().st_mtime > source.stat().st_mtime:
        return binary
    go = shutil.which("go")
    if go is None or not pathlib.Path(GOPATH, "src/golang.org/x/mod/sumdb/tlog").is_dir():
        raise RuntimeError("golang-go and golang-golang-x-mod-dev are not installed: run deploy/setup")
    binary.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place, so that tests that run at once never start half a program.
    fresh = binary.with_name(f"verify_log.{os.getpid()}")
    subprocess.run([go, "build", "-o", fresh, source], check=True, timeout=300, env={
        "PATH": os.environ["PATH"], "HOME": str(binary.parent), "GO111MODULE": "off", "GOPATH": GOPATH, "GOFLAGS": "",
        "CGO_ENABLED": "0", "GOCACHE": str(binary.parent / "go-cache")})
    os.replace(fresh, binary)
    return binary


def commands(folder):
    """Name and command of each verifier; the Go program is built in `folder`."""
    node = shutil.which("node")
    if node is None:
        raise RuntimeError("nodejs is not installed: run deploy/setup")
    return {"go": [str(build_go(folder))], "node": [node, str(HERE / "node" / "verify.mjs")]}


def verify(command, log_folder, witnesses=(), timeout=120):
    """Runs one verifier on a log's folder; `witnesses` are verifier keys of type 04 that must all have cosigned."""
    done = subprocess.run([*command, str(log_folder), *witnesses], capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        return Answer(done.returncode, fault=done.stderr.strip())
    answer = Answer(0)
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if word == "size":
            answer.size = int(rest)
        elif word == "root":
            answer.root = rest
        elif word == "cosigned":
            name, _, time = rest.rpartition(" ")
            answer.cosigned[name] = int(time)
    return answer
