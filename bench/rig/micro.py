"""Costs without sockets: tasks, switches, timers, posting; and of including the library."""

import os
import subprocess
import time

from . import machine
from .compare import Contestant
from .process import Failed, run_load

UPCALL = Contestant("upcall", "upcall_micro")
ASIO = Contestant("asio", "asio_micro")

NAMES = {
    "spawn_join": "task spawn and join",
    "spawn_join_many": "task spawn and join, 1,000 at once",
    "switch": "switch between two tasks",
    "timer_add_cancel_1": "timer add + cancel, 1 armed",
    "timer_add_cancel_1000": "timer add + cancel, 1,000 armed",
    "timer_add_cancel_100000": "timer add + cancel, 100,000 armed",
    "post_single": "post from another thread, one at a time",
    "post_wake": "post from another thread that wakes the loop",
    "post_burst": "post from another thread, 1,000 at once",
}


class Micro:
    """One measure of a program that prints `name ns_per_op` lines."""

    def __init__(self, name):
        self.name = name

    def prepare(self, _comparison, _settings):
        return {}

    def run(self, contestant, settings, _context):
        command = [settings.program(contestant.program), "--only", self.name,
                   "--seconds", str(settings.seconds / 6)]
        # The program pins its threads itself.
        for line in run_load(command, 120, machine.SERVER_CORE).splitlines():
            name, _, value = line.partition(" ")
            if name == self.name:
                return {"ns": float(value)}
        raise Failed(f"{contestant.program} does not measure {self.name}")

    def brief(self, metrics):
        return f"{metrics['ns']:,.1f} ns"

    def remarks(self, _metrics):
        return []


COMPILER = "clang++-19"
UPCALL_HEADER = Contestant("upcall", "include/upcall/upcall.hpp", "upcall/upcall.hpp")
ASIO_HEADER = Contestant("asio", "/usr/include/boost/asio.hpp", "boost/asio.hpp")


class Include:
    """What a translation unit pays for one include, warm file cache, nothing else in it."""

    def prepare(self, _comparison, _settings):
        return {}

    def run(self, contestant, settings, _context):
        source = settings.scratch / "include.cpp"
        source.write_text(f"#include <{contestant.arguments}>\n")
        command = [COMPILER, "-O2", "-std=c++23", "-c", str(source),
                   "-I", str(machine.REPOSITORY / "include"), "-o", os.devnull]
        before, start = os.times(), time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        took, after = time.monotonic() - start, os.times()
        if done.returncode != 0:
            raise Failed(done.stderr.strip().splitlines()[0])
        # CPU time: other work on the machine does not stretch it as it does the wall clock.
        return {"cpu_seconds": after.children_user + after.children_system
                - before.children_user - before.children_system, "wall_seconds": took}

    def brief(self, metrics):
        return f"{metrics['cpu_seconds']:.2f} s CPU, {metrics['wall_seconds']:.2f} s"

    def remarks(self, _metrics):
        return []
