#!/usr/bin/env python3
"""Run a program on a terminal of its own and type at it.

Usage: terminal.py [--size COLUMNSxROWS] [--deadline SECONDS] [STEP]... -- PROGRAM [ARGUMENT...]
Steps, in order:  expect=TEXT  send=TEXT (\\n, \\x03 as in Python)  resize=COLUMNSxROWS  eof
Prints all that the program printed; exits as it did (128 + N for a signal), 99 if a text did not come.
"""
import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time


def size_set(fd, text):
    columns, rows = (int(n) for n in text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Screen:
    def __init__(self, fd, deadline_s):
        self.fd, self.end, self.seen, self.open = fd, time.monotonic() + deadline_s, b"", True

    def read(self):
        """One piece of output; False at the end of it or of the time."""
        left = self.end - time.monotonic()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            return False
        try:
            piece = os.read(self.fd, 65536)
        except OSError:
            piece = b""
        self.open = bool(piece)
        self.seen += piece
        os.write(1, piece)
        return self.open

    def expect(self, text):
        while text not in self.seen:
            if not self.read():
                return False
        self.seen = self.seen[self.seen.index(text) + len(text):]
        return True


def main(words):
    split = words.index("--")
    steps, command = words[:split], words[split + 1:]
    size, deadline_s = "80x24", 20.0
    while steps and steps[0].startswith("--"):
        if steps[0] == "--size":
            size = steps[1]
        else:
            deadline_s = float(steps[1])
        steps = steps[2:]
    pid, fd = pty.fork()
    if pid == 0:
        size_set(0, size)
        os.execvp(command[0], command)
    screen = Screen(fd, deadline_s)
    for step in steps:
        kind, _, text = step.partition("=")
        raw = text.encode().decode("unicode_escape").encode("latin-1")
        if kind == "expect" and not screen.expect(raw):
            sys.stderr.write(f"\nterminal.py: '{text}' did not come\n")
            os.kill(pid, 9)
            return 99
        if kind == "send":
            os.write(fd, raw)
        if kind == "resize":
            size_set(fd, text)
        if kind == "eof":
            os.write(fd, b"\x04")
    while screen.read():
        pass
    if screen.open:
        sys.stderr.write("\nterminal.py: it did not end\n")
        os.kill(pid, 9)
        return 99
    status = os.waitpid(pid, 0)[1]
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


sys.exit(main(sys.argv[1:]))
