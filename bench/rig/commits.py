"""Durable appends of 4 KiB by so many committers, to a fresh file on the disk of the scratch folder."""

import csv
import dataclasses
import io
import json
import shutil

from . import machine
from .compare import Contestant
from .process import Failed, Server, run_load


@dataclasses.dataclass(frozen=True)
class How:
    """What a contestant is told beside the file; `alone`: it commits one by one all the same."""
    upcall: bool = False
    alone: bool = False


UPCALL = Contestant("upcall", "bench_commit", How(upcall=True))
PLAIN = Contestant("plain", "commit_plain", How())
ONE_BY_ONE = Contestant("one-by-one", "commit_plain", How(alone=True))
REDIS = Contestant("redis", "redis-server")

BLOCK_BYTES = 4096


class Commits:
    def __init__(self, committers):
        self.committers = committers

    def prepare(self, _comparison, _settings):
        return {}

    def run(self, contestant, settings, _context):
        if contestant is REDIS:
            result = self._run_redis(settings)
        else:
            result = self._run_program(contestant, settings)
        if not result["commits"]:
            raise Failed(f"{contestant.name} committed nothing")
        result["cpu_us_per_commit"] = result["cpu_seconds"] * 1e6 / result["commits"]
        return result

    def _run_program(self, contestant, settings):
        path = settings.scratch / "log"
        path.unlink(missing_ok=True)
        how = contestant.arguments
        command = [settings.program(contestant.program), "--file", str(path),
                   "--committers", str(1 if how.alone else self.committers),
                   "--seconds", str(settings.seconds), "--warmup", str(settings.warmup)]
        if how.upcall:
            command += ["--driver", settings.driver]
        try:
            return json.loads(run_load(command, settings.warmup + settings.seconds + 60,
                                       machine.SERVER_CORE))
        finally:
            path.unlink(missing_ok=True)

    def _run_redis(self, settings):
        """SET over the loopback, each answered when the append-only file was synced. Its load
        program takes a number of requests, not a time: a first run says how many that is."""
        folder = settings.scratch / "redis"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        port = machine.free_port()
        command = [machine.find("redis-server"), "--port", str(port), "--dir", str(folder),
                   "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                   "--auto-aof-rewrite-percentage", "0"]
        try:
            with Server(command, port) as server:
                rate, _ = self._load_redis(port, 2000)
                rate, _ = self._load_redis(port, max(500, int(rate * settings.warmup)))
                before = server.cpu_seconds()
                count = max(500, int(rate * settings.seconds))
                rate, count = self._load_redis(port, count)
                used = server.cpu_seconds() - before
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return {"commits": count, "seconds": count / rate, "commits_per_second": rate,
                "cpu_seconds": used}

    def _load_redis(self, port, count):
        said = run_load([machine.find("redis-benchmark"), "-p", str(port), "-t", "set",
                         "-d", str(BLOCK_BYTES), "-c", str(self.committers), "-n", str(count),
                         "--csv"], 120)
        for row in csv.DictReader(io.StringIO(said)):
            if row.get("test") == "SET":
                return float(row["rps"]), count
        raise Failed(f"redis-benchmark said: {said.strip()}")

    def brief(self, metrics):
        way = f", {metrics['way']}" if "way" in metrics else ""
        return (f"{metrics['commits_per_second']:,.0f} commits/s, "
                f"{metrics['cpu_us_per_commit']:,.1f} us CPU each{way}")

    def remarks(self, _metrics):
        return []
