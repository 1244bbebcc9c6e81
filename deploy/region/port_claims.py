"""Ports for the servers of a region on this machine, which no other region takes while this process lives."""
import pathlib
import random
import socket

LEAST_PORT = 10_000
# The ports that the kernel gives away, and where they begin unless somebody said otherwise.
PORT_RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
USUAL_PORT_RANGE = 32_768
# Ports that this process claims, each with the socket that says so to the others.
CLAIMED = {}


def claim(port):
    """Claims a port for this process until it ends, towards other regions; false when another has it or something listens there."""
    if port not in CLAIMED:
        said = socket.socket(socket.AF_UNIX)
        try:
            # An abstract name is there once, like the port itself, and goes with the process.
            said.bind(f"\0raakvlak-port-{port}")
        except OSError:
            said.close()
            return False
        CLAIMED[port] = said
    if port_is_free(port):
        return True
    CLAIMED.pop(port).close()
    return False


def free_ports(count):
    """Ports that nobody has now or takes while this process lives: they are not of those that the kernel gives to connections and to port 0."""
    given = PORT_RANGE.read_text().split() if PORT_RANGE.exists() else []
    end = int(given[0]) if given else USUAL_PORT_RANGE
    candidates = range(LEAST_PORT, end if end >= LEAST_PORT + 1000 else 65536)
    found = []
    while len(found) < count:
        port = random.choice(candidates)
        if port not in CLAIMED and claim(port):
            found.append(port)
    return found


def port_is_free(port):
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False
