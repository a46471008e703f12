"""Durable appends of 4 KiB by so many committers, to a fresh file on the disk of the scratch folder."""

import dataclasses
import json

from . import machine
from .compare import Contestant
from .process import Failed, run_load


@dataclasses.dataclass(frozen=True)
class How:
    """What a contestant is told beside the file; `alone`: it commits one by one all the same."""
    upcall: bool = False
    alone: bool = False


UPCALL = Contestant("upcall", "bench_commit", How(upcall=True))
PLAIN = Contestant("plain", "commit_plain", How())
ONE_BY_ONE = Contestant("one-by-one", "commit_plain", How(alone=True))


class Commits:
    def __init__(self, committers):
        self.committers = committers

    def prepare(self, _comparison, _settings):
        return {}

    def run(self, contestant, settings, _context):
        path = settings.scratch / "log"
        path.unlink(missing_ok=True)
        how = contestant.arguments
        command = [settings.program(contestant.program), "--file", str(path),
                   "--committers", str(1 if how.alone else self.committers),
                   "--seconds", str(settings.seconds), "--warmup", str(settings.warmup)]
        if how.upcall:
            command += ["--driver", settings.driver]
        try:
            result = json.loads(run_load(command, settings.warmup + settings.seconds + 60,
                                         machine.SERVER_CORE))
        finally:
            path.unlink(missing_ok=True)
        if not result["commits"]:
            raise Failed(f"{contestant.name} committed nothing")
        result["cpu_us_per_commit"] = result["cpu_seconds"] * 1e6 / result["commits"]
        return result

    def brief(self, metrics):
        way = f", {metrics['way']}" if "way" in metrics else ""
        return (f"{metrics['commits_per_second']:,.0f} commits/s, "
                f"{metrics['cpu_us_per_commit']:,.1f} us CPU each{way}")

    def remarks(self, _metrics):
        return []
