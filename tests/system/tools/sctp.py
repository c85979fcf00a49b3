#!/usr/bin/env python3
"""SCTP by hand, for kernels without it: the INIT chunk that opens an association, over a raw socket.

sctp.py receive 4|6         prints "ready", then "CLIENT-ADDRESS PORT" of the first packet, within 5 seconds
sctp.py send ADDRESS PORT
"""
import socket
import struct
import sys

SCTP = 132


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def receive(family):
    with socket.socket(family, socket.SOCK_RAW, SCTP) as s:
        s.settimeout(5)
        print("ready", flush=True)
        data, client = s.recvfrom(2000)
        if family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        header = data[:8] + bytes(4)
        whole = struct.pack("<I", crc32c(header + data[12:])) == data[8:12]
        print(client[0], struct.unpack("!H", data[2:4])[0] if whole else "with a wrong checksum")


def send(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    init = struct.pack("!BBHIIHHI", 1, 0, 20, 7, 65536, 1, 1, 1)
    header = struct.pack("!HHII", 5000, port, 0, 0)
    checksum = struct.pack("<I", crc32c(header + init))
    with socket.socket(family, socket.SOCK_RAW, SCTP) as s:
        s.sendto(header[:8] + checksum + init, (address, 0))


if sys.argv[1] == "receive":
    receive(socket.AF_INET6 if sys.argv[2] == "6" else socket.AF_INET)
else:
    send(sys.argv[2], int(sys.argv[3]))
