#!/usr/bin/env python3
"""Questions to a resolver.

asker.py SERVER NAME ADDRESS STOP: asks for NAME without end, until the file STOP is there, one question at
a time and each only once; a question without an answer within 2 s, or with another one than ADDRESS, is lost.
asker.py --hostile SERVER FOLDER: the files of FOLDER, parts of them and random bytes, over UDP and TCP.
"""
import os
import random
import socket
import struct
import sys


def question(name, number):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack(">HHHHHH", number, 0x100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


def ask(server, name, address, stop):
    asked = lost = 0
    print("asking", flush=True)
    while not os.path.exists(stop):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(2)
            sock.sendto(question(name, asked & 0xFFFF), (server, 53))
            asked += 1
            try:
                answer = sock.recv(4096)
            except TimeoutError:
                answer = b""
            if answer[:2] != struct.pack(">H", (asked - 1) & 0xFFFF) or answer[-4:] != socket.inet_aton(address):
                lost += 1
                print(f"question {asked}: {answer.hex() or 'nothing'}")
    print(f"asked {asked}, lost {lost}")
    return 1 if lost else 0


def hostile(server, folder):
    draw = random.Random(1)
    seeds = [open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))]
    packets = list(seeds)
    for _ in range(500):
        seed = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 6)):
            seed[draw.randrange(len(seed))] = draw.randrange(256)
        packets.append(bytes(seed[:draw.randint(0, len(seed))]))
    packets += [draw.randbytes(draw.randint(0, 1500)) for _ in range(200)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for packet in packets:
            sock.sendto(packet, (server, 53))
    for packet in packets[:60]:
        with socket.create_connection((server, 53), timeout=5) as sock:
            sock.sendall(struct.pack(">H", draw.choice((len(packet), 65535, 0))) + packet)
    held = []
    for _ in range(100):  # more connections than it has room for
        sock = socket.socket()
        sock.settimeout(5)
        sock.connect((server, 53))
        held.append(sock)
    return 0


if sys.argv[1] == "--hostile":
    sys.exit(hostile(sys.argv[2], sys.argv[3]))
sys.exit(ask(*sys.argv[1:]))
