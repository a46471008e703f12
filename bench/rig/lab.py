"""Points of `upcall lab` beside peers that measure the same: fio, and the bare echo server."""

import json

from . import echo, machine, storage
from .compare import Contestant
from .process import run_load

CACHED_BYTES = 256 << 20
MESSAGE_BYTES = 64  # as in the laboratory

# In this many pieces is a row's time cut, for as many times more pairs: a virtual disk is now fast
# and now slow, for longer than a piece takes.
PIECES = 3


def _batches(depth):
    """Both hand over together what they may, and collect together what has ended; by itself fio
    would do one at a time, which with cached reads costs it half as much again."""
    return [f"--iodepth={depth}", f"--iodepth_batch_submit={depth}",
            "--iodepth_batch_complete_min=1", f"--iodepth_batch_complete_max={depth}"]


# By fio's engine: the laboratory's name for the way to read, and fio's options for the same.
WAYS = {
    "io_uring": ("io_uring", _batches),
    "libaio": ("Linux AIO", _batches),
    "posixaio": ("POSIX AIO", lambda depth: [f"--iodepth={depth}"]),
    "psync": ("threads", lambda depth: [f"--numjobs={depth}", "--group_reporting=1"]),
}


def lab_reads(way):
    return Contestant(f"lab, {WAYS[way][0]}", "lab_point", way)


def fio_reads(way):
    return Contestant(f"fio {way}", "fio", way)


LAB_EPOLL = Contestant("lab, plain epoll", "lab_point", "plain epoll")


class Reads:
    """Random reads of 4 KiB, so many in flight, past the cache or out of it. `uninterrupted`: a
    thread that wakes up waits until the running one sleeps (SCHED_BATCH, sched(7))."""

    def __init__(self, depth, direct, uninterrupted=False):
        self.depth = depth
        self.direct = direct
        self.policy = ["chrt", "--batch", "0"] if uninterrupted else []

    def _file(self, settings):
        return settings.scratch / ("data" if self.direct else "data-cached")

    def _bytes(self):
        return storage.FILE_BYTES if self.direct else CACHED_BYTES

    def prepare(self, _comparison, settings):
        storage.fill(self._file(settings), self._bytes())
        return {}

    def _read_through(self, settings):
        with open(self._file(settings), "rb") as file:
            while file.read(1 << 20):
                pass

    def _fio(self, way, engine, settings, seconds):
        return [machine.find("fio"), "--name=read", f"--ioengine={engine}",
                f"--filename={self._file(settings)}", f"--filesize={self._bytes()}",
                "--rw=randread", "--bs=4k", f"--direct={int(self.direct)}", "--invalidate=0",
                "--gtod_reduce=1", "--norandommap=1", "--thread=1", "--time_based=1",
                f"--ramp_time={round(1000 * settings.warmup / PIECES)}ms",
                f"--runtime={round(1000 * seconds)}ms", "--output-format=json",
                *WAYS[way][1](self.depth)]

    def _measured(self, contestant, command, settings):
        metrics = storage.measured(contestant, [*self.policy, *command], settings)
        metrics["ns_per_read"] = 1e9 / metrics["reads_per_second"]
        return metrics

    def run(self, contestant, settings, _context):
        seconds = settings.seconds / PIECES
        way = contestant.arguments
        if not self.direct:
            self._read_through(settings)
        if contestant.program != "fio":
            return self._measured(contestant, [
                settings.program("lab_point"), "--file", str(self._file(settings)), "--direct",
                str(int(self.direct)), "--way", WAYS[way][0], "--depth", str(self.depth),
                "--seconds", str(seconds), "--warmup", str(settings.warmup / PIECES)], settings)
        metrics = self._measured(contestant, self._fio(way, way, settings, seconds), settings)
        if not self.direct:
            # What fio does for a read besides reading: its engine "null" does all but that.
            own = self._measured(contestant, self._fio(way, "null", settings, seconds / 2),
                                 settings)
            metrics["own_ns_per_read"] = own["ns_per_read"]
            metrics["ns_per_read"] -= own["ns_per_read"]
        return metrics

    def brief(self, metrics):
        own = metrics.get("own_ns_per_read")
        return (f"{metrics['reads_per_second']:,.0f} reads/s, "
                f"{metrics['cpu_ns_per_read']:,.0f} ns CPU each"
                + (f", {own:,.0f} ns its own" if own else ""))

    def remarks(self, _metrics):
        return []


class Echo:
    """The laboratory's loop by hand under its own load, and the bare server under the rig's."""

    def __init__(self, connections):
        self.connections = connections
        self.closed = echo.Closed(connections, MESSAGE_BYTES)

    def prepare(self, _comparison, _settings):
        return {}

    def run(self, contestant, settings, context):
        if contestant is not LAB_EPOLL:
            return self.closed.run(contestant, settings, context)
        command = [settings.program("lab_point"), "--server", contestant.arguments,
                   "--connections", str(self.connections), "--warmup", str(settings.warmup),
                   "--seconds", str(settings.seconds)]
        return json.loads(run_load(command, settings.warmup + settings.seconds + 60,
                                   (machine.SERVER_CORE, machine.LOAD_CORE)))

    def brief(self, metrics):
        return (f"{metrics['requests_per_second']:,.0f}/s, "
                f"{metrics['cpu_ns_per_request']:,.0f} ns CPU each")

    def remarks(self, _metrics):
        return []
