"""The host: which cores are used, where the programs are, what the results depend on."""

import os
import pathlib
import platform
import resource
import shutil
import socket

SERVER_CORE = 0
LOAD_CORE = 1

BENCH = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = BENCH.parent


class Settings:
    """What the command line chose; handed to every measurement."""

    def __init__(self, seconds=3.0, warmup=1.0, pairs=5, tree="build/release", driver="uring"):
        self.seconds = seconds
        self.warmup = warmup
        self.pairs = pairs
        self.driver = driver
        self.programs = (REPOSITORY / tree / "bin").resolve()
        self.scratch = REPOSITORY / "build" / "bench"
        self.scratch.mkdir(parents=True, exist_ok=True)

    def program(self, name):
        return str(self.programs / name)


def raise_descriptor_limit():
    """Thousands of connections need as many descriptors on each side."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def free_port():
    """A port that nothing listens on. A new one for every run: a server that used io_uring may
    hold its port for some milliseconds after its end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(name):
    """An installed program; Debian keeps nginx where only root's PATH leads."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def core_busy_seconds(core=SERVER_CORE):
    """What the core has worked since boot, for whomever, to the tick (proc_stat(5))."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        if line.startswith(f"cpu{core} "):
            user, nice, system, _, _, irq, softirq = map(int, line.split()[1:8])
            return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return 0.0


def describe():
    """What a reader needs to judge the numbers."""
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "kernel": platform.release(),
        "processor": model,
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }
