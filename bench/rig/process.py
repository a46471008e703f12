"""Servers and load generators as processes: pinned, watched, and ended in any case."""

import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import time

from . import machine

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A run that gave no result; the message says why."""


def _start(command, cores, log, **options):
    def prepare():
        os.sched_setaffinity(0, cores)
        # Should this runner be killed, what it started must not live on.
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    try:
        return subprocess.Popen(command, stderr=log, preexec_fn=prepare, **options)
    except OSError as error:
        raise Failed(f"{command[0]} cannot be run: {error.strerror}") from None


class Server:
    """A freshly started server, as a context: `with Server(...) as server`."""

    def __init__(self, command, port, cores=(machine.SERVER_CORE,), environment=None):
        self.command = command
        self.port = port
        self.cores = set(cores)
        self.environment = {**os.environ, **(environment or {})}

    def __enter__(self):
        self.process = _start(self.command, self.cores, subprocess.PIPE,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              env=self.environment)
        try:
            self._await_listening()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_):
        self._end()

    @property
    def pid(self):
        return self.process.pid

    def _await_listening(self):
        for _ in range(500):
            if self.process.poll() is not None:
                said = self.process.stderr.read().decode(errors="replace").strip()
                raise Failed(f"{self.command[0]} ended at once: {said or self.process.returncode}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise Failed(f"{self.command[0]} does not listen on port {self.port}")

    def _end(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

    def cpu_seconds(self):
        """CPU of all threads of the process, to the nanosecond (clock_getcpuclockid(3))."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self):
        """Resident bytes: all, those of its own, and its share of what it shares."""
        found = {}
        for file, keys in (("status", ("VmRSS", "RssAnon")), ("smaps_rollup", ("Pss",))):
            for line in pathlib.Path(f"/proc/{self.pid}/{file}").read_text().splitlines():
                key, _, value = line.partition(":")
                if key in keys:
                    found[key] = int(value.split()[0]) * 1024
        return found


class Load:
    """A load generator that has been started, on a core or on several; `result()` waits for what
    it prints."""

    def __init__(self, command, core=machine.LOAD_CORE):
        self.name = command[0]
        cores = {core} if isinstance(core, int) else set(core)
        self.process = _start(command, cores, subprocess.PIPE, text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"{self.name}: {self.process.stderr.read().strip()}")
        return line

    def result(self, timeout):
        try:
            said, complaint = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name}: no result within {timeout:.0f} s") from None
        if self.process.returncode != 0:
            raise Failed(f"{self.name}: {complaint.strip() or self.process.returncode}")
        return said


def run_load(command, timeout, core=machine.LOAD_CORE):
    with Load(command, core) as load:
        return load.result(timeout)


def core_remarks(seconds, server_cpu, core_busy, load):
    """What to know about a run when reading its throughput."""
    if max(server_cpu, core_busy) < 0.95 * seconds:
        yield f"a server left its core idle: {load} was the limit, the CPU ratio says more"
    if core_busy - server_cpu > 0.05 * seconds:
        yield "other programs ran on the server's core: not a quiet machine"
