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
                        self.assertEqual(self.exactly(peer, len(expected)), expected)
                large = bytes(range(256)) * 1024
                peers[0].sendall(large)
                self.assertEqual(self.exactly(peers[0], len(large)), large)
                for peer in peers:
                    peer.shutdown(socket.SHUT_WR)
                    self.assertEqual(peer.recv(1), b"")

    @staticmethod
    def exactly(peer, size):
        got = b""
        while len(got) < size and (more := peer.recv(size - len(got))):
            got += more
        return got


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

    def test_what_is_not_there_and_what_is_outside_is_not_found(self):
        for target, status in (("/nothing", 404), ("/../settings.cmake", 400),
                               ("/%2e%2e/settings.cmake", 400), ("/..%5csettings.cmake", 400),
                               ("/con", 404), ("/index.html::$DATA", 404), ("/c:/windows", 404)):
            answer, _ = self.ask(target)
            self.assertEqual(answer.status, status, target)


class Command(unittest.TestCase):
    def run_command(self, *words):
        return subprocess.run([EMULATOR, f"{BIN}/upcall.exe", *words], capture_output=True,
                              text=True, timeout=PATIENCE, check=False)

    def test_tells_its_version(self):
        answer = self.run_command("--version")
        self.assertEqual(answer.returncode, 0)
        self.assertRegex(answer.stdout, r"^upcall \d+\.\d+\.\d+\n$")

    def test_refuses_what_is_not_there(self):
        answer = self.run_command("serve", "no such folder")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("cannot serve 'no such folder'", answer.stderr)
        answer = self.run_command("serve", SITE, "--access-log", "log")
        self.assertEqual(answer.returncode, 1)
        self.assertIn("--access-log is not there on Windows", answer.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
