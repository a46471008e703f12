"""The programs that run on Windows do what they say there.

usage: windows.py EMULATOR BIN_FOLDER SITE_FOLDER

EMULATOR starts a Windows program: the tests of a cross build run under Wine.
"""

import contextlib
import http.client
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

EMULATOR, BIN, SITE = sys.argv[1:4]
PATIENCE = 60  # seconds, for what has hung


@contextlib.contextmanager
def program(name, *words):
    """The address that a started program says it listens at; it is ended afterwards."""
    running = subprocess.Popen([EMULATOR, f"{BIN}/{name}.exe", *words], stdout=subprocess.PIPE,
                               text=True)
    try:
        line = running.stdout.readline()
        found = re.search(r"([\d.]+):(\d+)/?$", line.strip())
        if not found:
            raise AssertionError(f"{name} said {line!r}")
        yield found[1], int(found[2])
    finally:
        running.kill()
        running.communicate()


def connect(place):
    return socket.create_connection(place, PATIENCE)


def exactly(peer, size):
    got = b""
    while len(got) < size and (more := peer.recv(size - len(got))):
        got += more
    return got


class EchoServer(unittest.TestCase):
    def test_sends_back_what_it_gets(self):
        with program("echo_server", "--listen", "127.0.0.1:0") as place:
            with contextlib.ExitStack() as open_ones:
                peers = [open_ones.enter_context(connect(place)) for _ in range(50)]
                for round_number in range(20):
                    for number, peer in enumerate(peers):
                        peer.sendall(f"{number} in round {round_number}\n".encode())
                    for number, peer in enumerate(peers):
                        expected = f"{number} in round {round_number}\n".encode()
                        self.assertEqual(exactly(peer, len(expected)), expected)
                large = bytes(range(256)) * 1024
                peers[0].sendall(large)
                self.assertEqual(exactly(peers[0], len(large)), large)
                for peer in peers:
                    peer.shutdown(socket.SHUT_WR)
                    self.assertEqual(peer.recv(1), b"")


class OtherServers(unittest.TestCase):
    def expect(self, peer, text):
        self.assertEqual(exactly(peer, len(text)), text)

    def join(self, place):
        """A member of the chat; who hears its own greeting has joined for certain."""
        peer = self.enterContext(connect(place))
        peer.sendall(b"hello\n")
        self.expect(peer, b"hello\n")
        return peer

    def test_the_chat_server_tells_everybody(self):
        place = self.enterContext(program("chat_server", "127.0.0.1:0"))
        first, second = self.join(place), self.join(place)
        self.expect(first, b"hello\n")
        first.sendall(b"one two\nthree\n")
        for peer in (first, second):
            self.expect(peer, b"one two\nthree\n")

    def test_the_proxy_passes_on_both_ways_and_both_ends(self):
        target = self.enterContext(socket.create_server(("127.0.0.1", 0)))
        target.settimeout(PATIENCE)
        place = self.enterContext(
            program("tcp_proxy", "127.0.0.1:0", "127.0.0.1:%d" % target.getsockname()[1]))
        client = self.enterContext(connect(place))
        server = self.enterContext(target.accept()[0])
        server.settimeout(PATIENCE)
        for one, other in ((client, server), (server, client)):
            one.sendall(b"to the other\n")
            self.expect(other, b"to the other\n")
            one.shutdown(socket.SHUT_WR)
            self.assertEqual(other.recv(1), b"")


class Serve(unittest.TestCase):
    """`upcall serve` on a site of its own."""

    def setUp(self):
        site = self.enterContext(program("upcall", "serve", SITE, "--listen", "127.0.0.1:0"))
        self.client = http.client.HTTPConnection(*site, timeout=PATIENCE)
        self.addCleanup(self.client.close)

    def ask(self, target, **fields):
        self.client.putrequest("GET", target, skip_accept_encoding=True)
        for name, value in fields.items():
            self.client.putheader(name.replace("_", "-"), value)
        self.client.endheaders()
        answer = self.client.getresponse()
        return answer, answer.read()

    def test_files_come_whole_and_in_parts_over_one_connection(self):
        content = pathlib.Path(SITE, "index.html").read_bytes()
        for _ in range(20):
            answer, body = self.ask("/")
            self.assertEqual((answer.status, body), (200, content))
        again, body = self.ask("/index.html", If_None_Match=answer.headers["ETag"])
        self.assertEqual((again.status, body), (304, b""))
        part, body = self.ask("/index.html", Range="bytes=3-9")
        self.assertEqual((part.status, body), (206, content[3:10]))

    def test_what_was_asked_for_is_in_the_access_log(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "access.log")
            log.write_text("what was there before\n", encoding="ascii")
            words = ("serve", SITE, "--listen", "127.0.0.1:0", "--access-log", str(log))
            with program("upcall", *words) as place:
                client = http.client.HTTPConnection(*place, timeout=PATIENCE)
                for target in ("/index.html", "/nothing"):
                    client.request("GET", target)
                    client.getresponse().read()
                client.close()
                lines = self.lines_of(log, 3)
        self.assertEqual(lines[0], "what was there before")
        self.assertRegex(lines[1], r'^127\.0\.0\.1 .*"GET /index\.html HTTP/1\.1" 200 \d+')
        self.assertRegex(lines[2], r'^127\.0\.0\.1 .*"GET /nothing HTTP/1\.1" 404 \d+')

    @staticmethod
    def lines_of(file, count):
        """The first lines of a file that is being written."""
        until = time.monotonic() + PATIENCE
        while (text := file.read_text(encoding="ascii")).count("\n") < count:
            if time.monotonic() > until:
                raise AssertionError(f"{file} has {text!r}")
            time.sleep(0.05)
        return text.splitlines()

    def test_what_is_not_there_and_what_is_outside_is_not_found(self):
        for target, status in (("/nothing", 404), ("/../settings.cmake", 400),
                               ("/%2e%2e/settings.cmake", 400), ("/..%5csettings.cmake", 400),
                               ("/con", 404), ("/index.html::$DATA", 404), ("/c:/windows", 404)):
            answer, _ = self.ask(target)
            self.assertEqual(answer.status, status, target)


def run_program(name, *words):
    """One that does one thing and ends."""
    return subprocess.run([EMULATOR, f"{BIN}/{name}.exe", *words], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


class ExamplesThatEnd(unittest.TestCase):
    def test_the_three_styles_read_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "file")
            file.write_bytes(b"hello")
            answer = run_program("three_styles", str(file))
        self.assertEqual(answer.stdout,
                         "awaited: 5 bytes\ncallback: 5 bytes\nfuture: 5 bytes\n")

    def test_timeouts_tell_the_causes_apart(self):
        self.assertEqual(run_program("timeouts").stdout.splitlines(), [
            "read: took too long", "read again: was in time, 5 bytes", "answer: took too long",
            "first: number 0; the other was not needed any more", "work: took too long",
            "clean-up: done"])

    def test_the_simulations_see_what_they_see_on_linux(self):
        answer = run_program("simulated_server", "1", "5")
        self.assertEqual(answer.returncode, 0)
        self.assertRegex(answer.stdout, r"^5 seeds: [1-9].* none wrong\n$")
        self.assertEqual(run_program("simulated_log").stdout,
                         "1000 seeds, and nothing was lost\n")


class Command(unittest.TestCase):
    def run_command(self, *words):
        return run_program("upcall", *words)

    def test_tells_its_version(self):
        answer = self.run_command("--version")
        self.assertEqual(answer.returncode, 0)
        self.assertRegex(answer.stdout, r"^upcall \d+\.\d+\.\d+\n$")

    def test_refuses_what_is_not_there(self):
        answer = self.run_command("serve", "no such folder")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("cannot serve 'no such folder'", answer.stderr)
        answer = self.run_command("serve", SITE, "--access-log", "-")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("--access-log - (standard output) is not there on Windows", answer.stderr)
        answer = self.run_command("serve", SITE, "--access-log", "no such folder/log")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("cannot write the access log 'no such folder/log'", answer.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
