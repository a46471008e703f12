"""Static files over HTTP/1.1 with keep-alive, loaded by wrk."""

import os
import random
import re
import urllib.request

from . import machine
from .compare import Contestant
from .process import Failed, Server, core_remarks, run_load

FILES = {"1k": 1024, "100k": 100 * 1024, "1m": 1024 * 1024}


def _configured(template, settings, port, site):
    text = (machine.BENCH / "http" / template).read_text()
    # h2o gives up root's rights on its own unless told otherwise, and then may not read the site.
    user = "user: root" if os.geteuid() == 0 else ""
    for name, value in (("SCRATCH", settings.scratch), ("PORT", port), ("SITE", site),
                        ("USER", user)):
        text = text.replace(f"@{name}@", str(value))
    path = settings.scratch / template.removesuffix(".in")
    path.write_text(text)
    return str(path)


def _nginx(program, port, site, settings):
    return [program, "-p", str(settings.scratch), "-e", "stderr",
            "-c", _configured("nginx.conf.in", settings, port, site)]


def _h2o(program, port, site, settings):
    return [program, "-c", _configured("h2o.conf.in", settings, port, site)]


def _upcall(program, port, site, settings):
    return [program, "serve", str(site), "--listen", f"127.0.0.1:{port}",
            "--driver", settings.driver, "--loops", "1",
            # wrk begins its second run before the server has seen that the first one has gone, and
            # the peers know no such limit.
            "--max-connections-per-address", "0"]


UPCALL = Contestant("upcall", "upcall", _upcall)
NGINX = Contestant("nginx", "nginx", _nginx)
H2O = Contestant("h2o", "h2o", _h2o)


_UNITS = {"us": 1.0, "ms": 1e3, "s": 1e6, "m": 60e6}


def _parse(text):
    """wrk prints for people; these lines are what matters."""
    total = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", text)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", text)
    if not (total and rate and tail):
        raise Failed(f"wrk said: {text.strip()}")
    for wrong in ("Socket errors", "Non-2xx"):
        if wrong in text:
            line = next(line for line in text.splitlines() if wrong in line)
            raise Failed(f"wrk saw errors: {line.strip()}")
    return {"requests": int(total[1]), "requests_per_second": float(rate[1]),
            "seconds": float(total[2]) * _UNITS[total[3]] / 1e6,
            "p99_us": float(tail[1]) * _UNITS[tail[2]]}


class StaticFile:
    """One file, requested over and over."""

    def __init__(self, file, connections):
        self.file = file
        self.connections = connections

    def prepare(self, _comparison, settings):
        site = settings.scratch / "site"
        site.mkdir(exist_ok=True)
        source = random.Random(1)
        for name, size in FILES.items():
            path = site / f"{name}.bin"
            if not path.exists() or path.stat().st_size != size:
                path.write_bytes(source.randbytes(size))
        return {}

    def _verify(self, url, path):
        with urllib.request.urlopen(url, timeout=5) as answer:
            if answer.status != 200 or answer.read() != path.read_bytes():
                raise Failed(f"{url} is not the file")

    def run(self, contestant, settings, _context):
        port = machine.free_port()
        site = settings.scratch / "site"
        program = machine.find(contestant.program) or settings.program(contestant.program)
        with Server(contestant.arguments(program, port, site, settings), port) as server:
            url = f"http://127.0.0.1:{port}/{self.file}.bin"
            self._verify(url, site / f"{self.file}.bin")
            wrk = [machine.find("wrk") or "wrk", "-t1", f"-c{self.connections}", "--latency",
                   "--timeout", "30s"]
            # wrk counts in whole seconds.
            run_load([*wrk, f"-d{max(1, round(settings.warmup))}s", url], settings.warmup + 60)
            busy, used = machine.core_busy_seconds(), server.cpu_seconds()
            result = _parse(run_load([*wrk, f"-d{max(1, round(settings.seconds))}s", url],
                                     settings.seconds + 60))
            used, busy = server.cpu_seconds() - used, machine.core_busy_seconds() - busy
        result["server_cpu_seconds"], result["core_busy_seconds"] = used, busy
        result["cpu_ns_per_request"] = used * 1e9 / result["requests"]
        return result

    def brief(self, metrics):
        return (f"{metrics['requests_per_second']:,.0f}/s, "
                f"{metrics['cpu_ns_per_request']:,.0f} ns CPU each, "
                f"p99 {metrics['p99_us']:,.0f} us")

    def remarks(self, metrics):
        return core_remarks(metrics["seconds"], metrics["server_cpu_seconds"],
                            metrics["core_busy_seconds"], "wrk")
