"""Echo servers: throughput, latency at an offered rate, memory, allocations, two loops."""

import json
import mmap
import os
import socket
import struct
import time

from . import machine
from .compare import Contestant
from .process import Failed, Load, Server, core_remarks, run_load

# A peer's buffer per connection, or its only one, for messages that fit.
SHORT_BUFFER = 4096


def _peer(name, short_buffer=None):
    def command(program, port, buffer_bytes, _settings):
        if short_buffer and buffer_bytes == SHORT_BUFFER:
            buffer_bytes = short_buffer
        return [program, "--port", str(port), "--buffer", str(buffer_bytes)]
    return Contestant(name.removeprefix("echo_").replace("_", "-"), name, command)


def _upcall(loops, *more):
    def command(program, port, _buffer_bytes, settings):
        return [program, "--listen", f"127.0.0.1:{port}", "--driver", settings.driver,
                "--loops", str(loops), *more]
    name = "upcall" if loops == 1 else f"upcall, {loops} loops"
    return Contestant(f"{name}, watched" if more else name, "echo_server", command)


UPCALL = _upcall(1)
UPCALL_TWO_LOOPS = _upcall(2)
# Watched for stalls, and with accounts of its tasks.
UPCALL_WATCHED = _upcall(1, "--watch", "10")
ASIO, ASIO_CORO = _peer("echo_asio"), _peer("echo_asio_coro")
LIBUV, LIBEVENT = _peer("echo_libuv"), _peer("echo_libevent")
# A ring hands its buffers out in turn: for short messages small ones touch fewer pages.
RAW_URING, RAW_EPOLL = _peer("echo_raw_uring", 512), _peer("echo_raw_epoll")


class Workload:
    """Common to all echo workloads: message length, connections, the server, the load."""

    def __init__(self, connections, message_bytes=128):
        self.connections = connections
        self.message_bytes = message_bytes
        self.buffer_bytes = max(SHORT_BUFFER, message_bytes)

    def prepare(self, _comparison, _settings):
        return {}

    def remarks(self, _metrics):
        return []

    def server(self, contestant, settings, **options):
        port = machine.free_port()
        command = contestant.arguments(settings.program(contestant.program), port,
                                       self.buffer_bytes, settings)
        return Server(command, port, **options)

    def load_command(self, server, settings, mode, *more):
        return [settings.program("echo_load"), "--mode", mode, "--port", str(server.port),
                "--connections", str(self.connections), "--message", str(self.message_bytes),
                "--warmup", str(settings.warmup), "--seconds", str(settings.seconds),
                "--server-pid", str(server.pid), "--server-core", str(machine.SERVER_CORE), *more]

    def patience(self, settings):
        return settings.warmup + settings.seconds + 60


def derive(result):
    """What is compared, from what the load generator printed."""
    if result["requests"] == 0:
        raise Failed("no request was answered within the measured time")
    result["cpu_ns_per_request"] = result["server_cpu_seconds"] * 1e9 / result["requests"]
    result["p99_us"] = result["latency_us"]["p99"]
    return result


class Closed(Workload):
    """Every connection has one message in flight: the server's maximum."""

    def run(self, contestant, settings, _context):
        with self.server(contestant, settings) as server:
            command = self.load_command(server, settings, "closed")
            return derive(json.loads(run_load(command, self.patience(settings))))

    def brief(self, metrics):
        return (f"{metrics['requests_per_second']:,.0f}/s, "
                f"{metrics['cpu_ns_per_request']:,.0f} ns CPU each, "
                f"p99 {metrics['p99_us']:,.0f} us")

    def remarks(self, metrics):
        return core_remarks(metrics["seconds"], metrics["server_cpu_seconds"],
                            metrics["core_busy_seconds"], "the load generator")


class Open(Workload):
    """Messages are due at half of what the peer can do, whatever happens."""

    def prepare(self, comparison, settings):
        found = Closed(self.connections, self.message_bytes).run(comparison.peer, settings, {})
        return {"rate": round(found["requests_per_second"] / 2)}

    def run(self, contestant, settings, context):
        with self.server(contestant, settings) as server:
            command = self.load_command(server, settings, "open", "--rate", str(context["rate"]))
            return derive(json.loads(run_load(command, self.patience(settings))))

    def brief(self, metrics):
        latency = metrics["latency_us"]
        return (f"{metrics['requests_per_second']:,.0f}/s, p50 {latency['p50']:,.0f} us, "
                f"p99 {latency['p99']:,.0f} us, {metrics['cpu_ns_per_request']:,.0f} ns CPU each")

    def remarks(self, metrics):
        if metrics["unfinished"]:
            yield "a server was overloaded: some messages were never answered"


def _greet(port):
    """One byte there and back, so that what a first connection needs is in the baseline."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as first:
        first.sendall(b"u")
        if first.recv(1) != b"u":
            raise Failed("the server does not echo")


def _kernel_slab():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("SUnreclaim:"):
                return int(line.split()[1]) * 1024
    return 0


class Idle(Workload):
    """Resident bytes of the server per connection that has exchanged one message."""

    def run(self, contestant, settings, _context):
        with self.server(contestant, settings) as server:
            _greet(server.port)
            time.sleep(0.5)  # the kernel frees the sockets of an earlier run meanwhile
            before, slab = server.memory(), _kernel_slab()
            with Load(self.load_command(server, settings, "idle")) as load:
                load.line()
                after, slab = server.memory(), _kernel_slab() - slab
        metrics = {f"{key}_per_connection": (after[key] - before[key]) / self.connections
                   for key in after}
        # Sockets of both ends and the load's own ring are in it: to be compared, not to be read.
        metrics["kernel_slab_per_connection"] = slab / self.connections
        return metrics

    def brief(self, metrics):
        return (f"{metrics['VmRSS_per_connection']:,.0f} B resident, "
                f"{metrics['kernel_slab_per_connection']:,.0f} B in the kernel")


class Allocations(Workload):
    """Calls of the allocator per request once everything is warm, counted from outside."""

    def run(self, contestant, settings, _context):
        path = settings.scratch / "allocations"
        path.write_bytes(bytes(8))
        environment = {"LD_PRELOAD": settings.program("count_allocations.so"),
                       "UPCALL_BENCH_ALLOCATIONS": str(path)}
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 8) as counter:
            with self.server(contestant, settings, environment=environment) as server:
                if struct.unpack("=Q", counter[:])[0] == 0:
                    raise Failed("the server's allocations are not counted")
                with Load(self.load_command(server, settings, "closed")) as load:
                    time.sleep(settings.warmup + 0.25 * settings.seconds)
                    before = struct.unpack("=Q", counter[:])[0]
                    time.sleep(0.5 * settings.seconds)
                    after = struct.unpack("=Q", counter[:])[0]
                    result = json.loads(load.result(self.patience(settings)))
        os.unlink(path)
        requests = result["requests_per_second"] * 0.5 * settings.seconds
        return {"allocations": after - before, "requests": requests,
                "allocations_per_request": (after - before) / requests}

    def brief(self, metrics):
        return f"{metrics['allocations']:,} allocations in {metrics['requests']:,.0f} requests"


class BothCores(Workload):
    """The server may use both cores, and a load generator runs on each."""

    def run(self, contestant, settings, _context):
        cores = (machine.SERVER_CORE, machine.LOAD_CORE)
        with self.server(contestant, settings, cores=cores) as server:
            command = self.load_command(server, settings, "closed")
            with Load(command, cores[0]) as one, Load(command, cores[1]) as other:
                results = [json.loads(load.result(self.patience(settings)))
                           for load in (one, other)]
        return {"requests_per_second": sum(r["requests_per_second"] for r in results),
                "p99_us": max(r["latency_us"]["p99"] for r in results)}

    def brief(self, metrics):
        return f"{metrics['requests_per_second']:,.0f}/s, p99 {metrics['p99_us']:,.0f} us"
