"""Random 4 KiB reads with O_DIRECT at a fixed depth, on one core."""

import json
import os

from . import machine
from .compare import Contestant
from .process import Failed, run_load

FILE_BYTES = 1 << 30


def _reader(program, file, depth, settings):
    return [program, "--file", file, "--depth", str(depth),
            "--seconds", str(max(1, round(settings.seconds)))]


def _upcall(program, file, depth, settings):
    return [*_reader(program, file, depth, settings), "--driver", settings.driver]


def _file_once(reader):
    def arguments(program, file, depth, settings):
        return [program, "--file", file, "--depth", str(depth), "--reader", reader,
                "--driver", settings.driver]
    return arguments


def _upcall_over(driver):
    return lambda program, file, depth, settings: [
        *_reader(program, file, depth, settings), "--driver", driver]


def _fio_with(*engine):
    # Its best: one clock reading per batch, no map of blocks seen.
    return lambda program, file, depth, settings: [
        program, "--name=read", f"--filename={file}", "--rw=randread", "--bs=4k", "--direct=1",
        *engine, f"--iodepth={depth}", "--gtod_reduce=1", "--norandommap=1", "--thread=1",
        "--numjobs=1", "--time_based=1", f"--ramp_time={settings.warmup}",
        f"--runtime={max(1, round(settings.seconds))}", "--output-format=json"]


UPCALL = Contestant("upcall", "bench_file_read", _upcall)
FIO = Contestant("fio", "fio",
                 _fio_with("--ioengine=io_uring", "--fixedbufs=1", "--registerfiles=1"))
UPCALL_LINUX_AIO = Contestant("upcall-linux-aio", "bench_file_read",
                              _upcall_over("epoll+linux_aio"))
FIO_LIBAIO = Contestant("fio-libaio", "fio", _fio_with("--ioengine=libaio"))
UPCALL_POSIX_AIO = Contestant("upcall-posix-aio", "bench_file_read",
                              _upcall_over("epoll+posix_aio"))
FIO_POSIXAIO = Contestant("fio-posixaio", "fio", _fio_with("--ioengine=posixaio"))
RAW_URING = Contestant("raw-uring", "file_raw_uring", _reader)
# One file, once, from its beginning to its end.
BY_EPOLL = Contestant("polled-file", "bench_polled_file", _file_once("epoll"))
BY_TASKS = Contestant("tasks", "bench_polled_file", _file_once("tasks"))


def fill(path, size):
    """The file is written, not merely allocated: unwritten blocks read as zeros at once."""
    if path.exists() and path.stat().st_size == size:
        return
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(os.urandom(1 << 20))
        file.flush()
        os.fsync(file.fileno())


def read_fio(text):
    job = json.loads(text[text.index("{"):])["jobs"][0]
    seconds = job["job_runtime"] / 1000
    return {"reads": job["read"]["total_ios"], "reads_per_second": job["read"]["iops"],
            "cpu_seconds": (job["usr_cpu"] + job["sys_cpu"]) / 100 * seconds}


def measured(contestant, command, settings):
    """Runs a reader on the server's core: what it said, with its CPU for each read."""
    said = run_load(command, settings.warmup + settings.seconds + 60, machine.SERVER_CORE)
    result = read_fio(said) if contestant.program == "fio" else json.loads(said)
    if not result["reads"]:
        raise Failed(f"{contestant.name} read nothing")
    result["cpu_ns_per_read"] = result["cpu_seconds"] * 1e9 / result["reads"]
    return result


class RandomReads:
    def __init__(self, depth):
        self.depth = depth

    def prepare(self, _comparison, settings):
        fill(settings.scratch / "data", FILE_BYTES)
        return {}

    def run(self, contestant, settings, _context):
        program = machine.find(contestant.program) or settings.program(contestant.program)
        command = contestant.arguments(program, str(settings.scratch / "data"), self.depth,
                                       settings)
        return measured(contestant, command, settings)

    def brief(self, metrics):
        return (f"{metrics['reads_per_second']:,.0f} reads/s, "
                f"{metrics['cpu_ns_per_read']:,.0f} ns CPU each")

    def remarks(self, _metrics):
        return []
