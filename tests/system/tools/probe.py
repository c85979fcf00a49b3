#!/usr/bin/env python3
"""Asks an echo_server.py and prints its answer: probe.py tcp|udp ADDRESS PORT [SECONDS [SOURCE]]

Exit status 1: no answer within that time (default 3), or refused.
"""
import socket
import sys

protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
seconds = float(sys.argv[4]) if len(sys.argv) > 4 else 3
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
with socket.socket(family, kind) as s:
    s.settimeout(seconds)
    try:
        if len(sys.argv) > 5:
            s.bind((sys.argv[5], 0))
        s.connect((address, port))
        if protocol == "udp":
            s.send(b"?")
        print(s.recv(200).decode().strip())
    except OSError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
