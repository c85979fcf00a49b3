#!/usr/bin/env python3
"""Answers each connection and each datagram with "NAME CLIENT-ADDRESS".

Usage: echo_server.py NAME READY-FILE PROTOCOL:PORT[-PORT]...   READY-FILE is made when all are bound.
"""
import selectors
import socket
import sys

name, ready = sys.argv[1:3]
selector = selectors.DefaultSelector()


def bind(protocol, port):
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    if protocol == "tcp":
        s.listen(64)
    selector.register(s, selectors.EVENT_READ, protocol)


def answer(client):
    return f"{name} {client[0].removeprefix('::ffff:')}\n".encode()


for spec in sys.argv[3:]:
    protocol, _, ports = spec.partition(":")
    first, _, last = ports.partition("-")
    for port in range(int(first), int(last or first) + 1):
        bind(protocol, port)
open(ready, "w").close()
while True:
    for key, _ in selector.select():
        if key.data == "tcp":
            connection, client = key.fileobj.accept()
            with connection:
                connection.sendall(answer(client))
        else:
            _, client = key.fileobj.recvfrom(2000)
            key.fileobj.sendto(answer(client), client)
