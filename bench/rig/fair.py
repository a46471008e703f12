"""Fairness: quiet connections beside one that is never quiet; classes of one loop, and of one file."""

import json

from . import echo, machine, storage
from .compare import Contestant
from .process import Failed, Server, core_remarks, run_load

ALONE = Contestant("alone", "bench_endless", False)
BESIDE = Contestant("beside it", "bench_endless", True)
CLASSES = Contestant("classes", "bench_shares", True)
NO_CLASSES = Contestant("no classes", "bench_shares", False)


class Quiet(echo.Workload):
    """Few messages on many connections, while one connection of the same loop never waits."""

    def __init__(self, connections, rate):
        super().__init__(connections)
        self.rate = rate

    def run(self, contestant, settings, _context):
        port = machine.free_port()
        command = [settings.program(contestant.program), "--port", str(port),
                   "--endless", str(int(contestant.arguments)), "--driver", settings.driver]
        with Server(command, port) as server:
            load = self.load_command(server, settings, "open", "--rate", str(self.rate))
            result = echo.derive(json.loads(run_load(load, self.patience(settings))))
        result["p50_us"] = result["latency_us"]["p50"]
        result["busy"] = result["server_cpu_seconds"] / result["seconds"]
        return result

    def brief(self, metrics):
        return (f"p50 {metrics['p50_us']:,.0f} us, p99 {metrics['p99_us']:,.0f} us, "
                f"{metrics['busy']:.0%} of its core")

    def remarks(self, metrics):
        if metrics["unfinished"]:
            yield "a server was overloaded: some messages were never answered"
        yield from (remark for remark in core_remarks(
            metrics["seconds"], metrics["server_cpu_seconds"], metrics["core_busy_seconds"],
            "the load generator") if "other programs" in remark)


class Shares:
    """Two classes that both want all of the loop's time; with a depth, of one file's transfers."""

    def __init__(self, depth=0):
        self.depth = depth

    def prepare(self, comparison, settings):
        return storage.RandomReads(self.depth).prepare(comparison, settings) if self.depth else {}

    def run(self, contestant, settings, _context):
        command = [settings.program(contestant.program),
                   "--classes", str(int(contestant.arguments)), "--driver", settings.driver,
                   "--seconds", str(settings.seconds), "--warmup", str(settings.warmup)]
        if self.depth:
            command += ["--file", str(settings.scratch / "data"), "--depth", str(self.depth)]
        result = json.loads(run_load(command, settings.warmup + settings.seconds + 60,
                                     machine.SERVER_CORE))
        if not result["requests_per_second"]:
            raise Failed(f"{contestant.name} got nothing done")
        return result

    def brief(self, metrics):
        return (f"{metrics['requests_per_second']:,.0f} and {metrics['compaction_per_second']:,.0f}"
                f" blocks/s, {metrics['got_of_asked']:.3f} of what was asked")

    def remarks(self, _metrics):
        return []
