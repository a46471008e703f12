"""Every comparison, and what it must reach."""

import dataclasses
import os
import pathlib

from . import commits, echo, fair, http, lab, machine, micro, storage
from .compare import Check, Comparison

RATE = ("requests_per_second", "requests per second")
CPU = ("cpu_ns_per_request", "server CPU per request")


def _rate(limit=None, rule="at least"):
    return Check(*RATE, rule=rule if limit else "stated", limit=limit, unit="/s")


def _cpu(limit=None):
    return Check(*CPU, rule="at most" if limit else "stated", limit=limit, unit=" ns")


def _p99(limit=None):
    return Check("p99_us", "p99", rule="at most" if limit else "stated", limit=limit, unit=" us")


def _echo_short():
    for connections in (64, 1000, 8000):
        measure = f"echo, 128 B, {connections:,} connections"
        workload = echo.Closed(connections)
        for peer, checks in (
                (echo.ASIO, (_rate(1.0), _cpu(0.95))),
                (echo.LIBUV, (_rate(1.0), _cpu())),
                (echo.LIBEVENT, (_rate(1.0), _cpu())),
                (echo.RAW_URING, (_rate(), _cpu(1.05)))):
            yield Comparison(f"echo-128-{connections}-{peer.name}", measure, workload, echo.UPCALL,
                             peer, checks)
    for peer in (echo.RAW_EPOLL, echo.ASIO_CORO):
        yield Comparison(f"echo-128-64-{peer.name}", "echo, 128 B, 64 connections",
                         echo.Closed(64), echo.UPCALL, peer, (_rate(), _cpu()))


def _echo_others():
    for connections in (64, 1000, 8000):
        yield Comparison(f"echo-open-{connections}-asio",
                         f"echo, 128 B, {connections:,} connections, open loop at half the maximum",
                         echo.Open(connections), echo.UPCALL, echo.ASIO, (_p99(1.0), _cpu()))
    yield Comparison("echo-64k-raw-epoll", "echo, 64 KiB, 64 connections",
                     echo.Closed(64, 65536), echo.UPCALL, echo.RAW_EPOLL, (_rate(0.9), _cpu()))
    resident = Check("VmRSS_per_connection", "resident memory per idle connection", "at most", 1024,
                     absolute=True, unit=" B")
    kernel = Check("kernel_slab_per_connection", "kernel memory per connection, both ends",
                   unit=" B", absolute=True)
    yield Comparison("idle-8000-asio", "8,000 idle connections", echo.Idle(8000), echo.UPCALL,
                     echo.ASIO, (resident, kernel))
    none = Check("allocations_per_request", "allocations per request", "at most", 0, absolute=True)
    yield Comparison("allocations-asio", "echo, 128 B, 64 connections, steady state",
                     echo.Allocations(64), echo.UPCALL, echo.ASIO, (none,))
    cpu = dataclasses.replace(_cpu(1.02), confident=True)
    yield Comparison("watchdog",
                     "echo, 128 B, 64 connections, watched for stalls of 10 ms, with task accounts",
                     echo.Closed(64), echo.UPCALL_WATCHED, echo.UPCALL, (_rate(), cpu),
                     pairs_times=4)
    yield Comparison("two-loops", "two loops against one, echo, 128 B, load on both cores",
                     echo.BothCores(64), echo.UPCALL_TWO_LOOPS, echo.UPCALL, (_rate(), _p99()))


def _fairness():
    yield Comparison("quiet-beside-endless",
                     "1,000 quiet connections, 2,000 messages a second, beside an endless receiver",
                     fair.Quiet(1000, 2000), fair.BESIDE, fair.ALONE,
                     (_p99(3.0), Check("p50_us", "p50", unit=" us")))
    checks = (Check("got_of_asked", "share got, of what was asked", "within", 0.1, absolute=True),)
    yield Comparison("shares-loop", "a compaction of 100 shares beside requests of 1,000, one loop",
                     fair.Shares(), fair.CLASSES, fair.NO_CLASSES, checks)
    yield Comparison("shares-file",
                     "the same, 4 KiB random reads of one file, O_DIRECT, 32 at a time",
                     fair.Shares(32), fair.CLASSES, fair.NO_CLASSES, checks)


def _http():
    titles = {"1k": "1 KiB", "100k": "100 KiB", "1m": "1 MiB"}
    for file, title in titles.items():
        for connections in (64, 1000):
            for peer, limit in ((http.H2O, 1.0), (http.NGINX, 1.3 if file == "1k" else None)):
                yield Comparison(f"http-{file}-{connections}-{peer.name}",
                                 f"static file {title}, keep-alive, {connections:,} connections",
                                 http.StaticFile(file, connections), http.UPCALL, peer,
                                 (_rate(limit), _cpu(), _p99()))


def _storage():
    reads = Check("reads_per_second", "reads per second", "at least", 0.97, unit="/s")
    cpu = Check("cpu_ns_per_read", "CPU per read", "at most", 1.0, unit=" ns")
    stated = (Check("reads_per_second", "reads per second", unit="/s"),
              Check("cpu_ns_per_read", "CPU per read", unit=" ns"))
    for depth in (32, 128):
        for peer, checks in ((storage.FIO, (reads, cpu)), (storage.RAW_URING, stated)):
            yield Comparison(f"file-{depth}-{peer.name}",
                             f"4 KiB random reads, O_DIRECT, depth {depth}",
                             storage.RandomReads(depth), storage.UPCALL, peer, checks)
    aio = Check("reads_per_second", "reads per second", "at least", 0.95, unit="/s")
    used = Check("cpu_ns_per_read", "CPU per read", unit=" ns")
    yield Comparison("file-32-fio-libaio", "4 KiB random reads, O_DIRECT, depth 32, Linux AIO",
                     storage.RandomReads(32), storage.UPCALL_LINUX_AIO, storage.FIO_LIBAIO,
                     (aio, used))
    aio = dataclasses.replace(aio, limit=1.0)
    yield Comparison("file-32-fio-posixaio", "4 KiB random reads, O_DIRECT, depth 32, POSIX AIO",
                     storage.RandomReads(32), storage.UPCALL_POSIX_AIO, storage.FIO_POSIXAIO,
                     (aio, used))
    for depth in (8, 32):
        yield Comparison(f"polled-file-{depth}",
                         f"1 GiB read in order, 4 KiB each, O_DIRECT, depth {depth}: a foreign epoll"
                         " loop against our tasks", storage.RandomReads(depth), storage.BY_EPOLL,
                         storage.BY_TASKS,
                         (Check("reads_per_second", "reads per second", "at least", 0.9,
                                unit="/s"), stated[1]))


def _commits():
    cpu = Check("cpu_us_per_commit", "CPU per commit", unit=" us")
    for committers in (1, 8, 64):
        yield Comparison(f"commit-{committers}-plain",
                         f"durable appends of 4 KiB, {committers} at a time",
                         commits.Commits(committers), commits.UPCALL, commits.PLAIN,
                         (Check("commits_per_second", "commits per second", unit="/s"), cpu))
    yield Comparison("commit-64-one-by-one",
                     "durable appends of 4 KiB, 64 at a time against one by one",
                     commits.Commits(64), commits.UPCALL, commits.ONE_BY_ONE,
                     (Check("commits_per_second", "commits per second", "at least", 20.0,
                            unit="/s"), cpu))
    yield Comparison("commit-50-redis",
                     "durable appends of 4 KiB, 50 at a time; redis: SET, appendfsync always",
                     commits.Commits(50), commits.UPCALL, commits.REDIS,
                     (Check("commits_per_second", "commits per second", unit="/s"), cpu))


def _micro():
    for name, measure in micro.NAMES.items():
        yield Comparison(f"micro-{name.replace('_', '-')}", measure, micro.Micro(name),
                         micro.UPCALL, micro.ASIO,
                         (Check("ns", "time", "at most", 0.5, unit=" ns"),))
    yield Comparison("include", "#include of the whole library, clang 19 -O2", micro.Include(),
                     micro.UPCALL_HEADER, micro.ASIO_HEADER,
                     (Check("cpu_seconds", "compile time", "at most", 1.2, absolute=True,
                            unit=" s"),))


def _lab():
    """What `upcall lab` says, where a peer measures the same."""
    stated = Check("reads_per_second", "reads per second", unit="/s")
    rate = dataclasses.replace(stated, rule="within", limit=0.1)
    used = Check("cpu_ns_per_read", "CPU per read", unit=" ns")
    # A core is busy with cached reads and nothing else: what fio does besides is in its rate.
    alone = Check("ns_per_read", "time of a read, less fio's own work", "within", 0.1, unit=" ns")

    def reads(name, way, how, workload, checks):
        return Comparison(f"lab-{name}", f"the laboratory's 4 KiB random reads, depth 16, {how}",
                          workload, lab.lab_reads(way), lab.fio_reads(way), checks,
                          pairs_times=lab.PIECES)
    for way in lab.WAYS:
        yield reads(f"direct-{way}", way, "O_DIRECT", lab.Reads(16, True), (rate, used))
    for way in ("io_uring", "libaio", "psync"):
        yield reads(f"cached-{way}", way, "cached", lab.Reads(16, False), (alone, stated))
    # Whether glibc's thread is interrupted for each read that has ended, or the waiter comes late
    # and sees several, is the scheduler's choice, and makes a factor of two.
    yield reads("cached-posixaio", "posixaio", "cached", lab.Reads(16, False), (rate,))
    yield reads("cached-posixaio-batch", "posixaio", "cached, SCHED_BATCH",
                lab.Reads(16, False, uninterrupted=True), (alone, stated))
    for connections in (64, 1000):
        yield Comparison(f"lab-echo-{connections}",
                         f"the laboratory's echo over TCP, 64 B, {connections:,} connections",
                         lab.Echo(connections), lab.LAB_EPOLL, echo.RAW_EPOLL,
                         (dataclasses.replace(_rate(), rule="within", limit=0.1),
                          dataclasses.replace(_cpu(), rule="within", limit=0.1)))


def all_comparisons():
    return [*_echo_short(), *_echo_others(), *_fairness(), *_storage(), *_commits(), *_http(),
            *_micro(), *_lab()]


STAND_INS = {
    echo.UPCALL: echo.RAW_URING, echo.UPCALL_TWO_LOOPS: echo.RAW_EPOLL,
    echo.UPCALL_WATCHED: echo.RAW_EPOLL, http.UPCALL: http.H2O, storage.UPCALL: storage.RAW_URING,
    storage.UPCALL_LINUX_AIO: storage.RAW_URING, storage.UPCALL_POSIX_AIO: storage.RAW_URING,
    storage.BY_EPOLL: storage.BY_TASKS,
    fair.BESIDE: fair.ALONE, fair.CLASSES: fair.NO_CLASSES,
    commits.UPCALL: commits.PLAIN, micro.UPCALL: micro.ASIO,
    micro.UPCALL_HEADER: micro.ASIO_HEADER, lab.LAB_EPOLL: echo.RAW_EPOLL,
    **{lab.lab_reads(way): lab.fio_reads(way) for way in lab.WAYS},
}


def missing(contestant, settings):
    """Why the contestant cannot run, or nothing."""
    if contestant.program == "fio" or contestant in (http.NGINX, http.H2O, commits.REDIS):
        installed = machine.find(contestant.program)
        return None if installed else f"{contestant.program} is not installed"
    if contestant in (micro.UPCALL_HEADER, micro.ASIO_HEADER):
        if not machine.find(micro.COMPILER):
            return f"{micro.COMPILER} is not installed"
        path = machine.REPOSITORY / contestant.program
    else:
        path = pathlib.Path(settings.program(contestant.program))
    return None if path.exists() else f"{os.path.relpath(path, machine.REPOSITORY)} does not exist"
