"""Points of `upcall lab` beside peers that measure the same: fio, and the bare echo server."""

import json

from . import echo, machine, storage
from .compare import Contestant
from .process import run_load

CACHED_BYTES = 256 << 20
MESSAGE_BYTES = 64  # as in the laboratory

# The laboratory's name for a way to read, and fio's options for the same.
# Both hand over together what they may, and collect together what has ended; by itself fio would
# do one at a time, which with cached reads costs it half as much again.
def _batches(depth):
    return [f"--iodepth={depth}", f"--iodepth_batch_submit={depth}",
            "--iodepth_batch_complete_min=1", f"--iodepth_batch_complete_max={depth}"]


WAYS = {
    "io_uring": ("io_uring", lambda depth: ["--ioengine=io_uring", *_batches(depth)]),
    "libaio": ("Linux AIO", lambda depth: ["--ioengine=libaio", *_batches(depth)]),
    "posixaio": ("POSIX AIO", lambda depth: ["--ioengine=posixaio", f"--iodepth={depth}"]),
    "psync": ("threads", lambda depth: ["--ioengine=psync", f"--numjobs={depth}",
                                        "--group_reporting=1"]),
}


def lab_reads(way):
    return Contestant(f"lab, {WAYS[way][0]}", "lab_point", way)


def fio_reads(way):
    return Contestant(f"fio {way}", "fio", way)


LAB_EPOLL = Contestant("lab, plain epoll", "lab_point", "plain epoll")


class Reads:
    """Random reads of 4 KiB, so many in flight, past the cache or out of it."""

    def __init__(self, depth, direct):
        self.depth = depth
        self.direct = direct

    def _file(self, settings):
        return settings.scratch / ("data" if self.direct else "data-cached")

    def prepare(self, _comparison, settings):
        size = storage.FILE_BYTES if self.direct else CACHED_BYTES
        storage.fill(self._file(settings), size)
        return {}

    def _read_through(self, settings):
        with open(self._file(settings), "rb") as file:
            while file.read(1 << 20):
                pass

    def run(self, contestant, settings, _context):
        if not self.direct:
            self._read_through(settings)
        seconds = str(max(1, round(settings.seconds)))
        file, direct = str(self._file(settings)), str(int(self.direct))
        if contestant.program == "fio":
            command = [machine.find("fio"), "--name=read", f"--filename={file}", "--rw=randread",
                       "--bs=4k", f"--direct={direct}", "--invalidate=0", "--gtod_reduce=1",
                       "--norandommap=1", "--thread=1", "--time_based=1",
                       f"--ramp_time={settings.warmup}", f"--runtime={seconds}",
                       "--output-format=json", *WAYS[contestant.arguments][1](self.depth)]
        else:
            command = [settings.program("lab_point"), "--file", file, "--direct", direct,
                       "--way", WAYS[contestant.arguments][0], "--depth", str(self.depth),
                       "--seconds", seconds]
        return storage.measured(contestant, command, settings)

    def brief(self, metrics):
        return (f"{metrics['reads_per_second']:,.0f} reads/s, "
                f"{metrics['cpu_ns_per_read']:,.0f} ns CPU each")

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
