#!/usr/bin/env python3
"""A DHCP server whose only address is good for four seconds: short_lease.py INTERFACE RENEWALS

Gives 192.0.2.50/24 with router, DNS server and domain, renews it so many times (unicast, by its own address) and ends.
"""
import socket
import struct
import sys

interface, renewals = sys.argv[1], int(sys.argv[2])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
sock.bind(("0.0.0.0", 67))
address, server = socket.inet_aton("192.0.2.50"), socket.inet_aton("192.0.2.1")


def option(number, value):
    return struct.pack("BB", number, len(value)) + value


while renewals >= 0:
    bytes_, sender = sock.recvfrom(2000)
    kind = bytes_[bytes_.index(b"\x35\x01") + 2]
    answer = bytearray(bytes_[:240])
    answer[0] = 2
    answer[16:20] = address
    answer += option(53, b"\x02" if kind == 1 else b"\x05") + option(54, server) + option(1, b"\xff\xff\xff\x00")
    answer += option(3, server) + option(6, socket.inet_aton("192.0.2.53")) + option(15, b"lab.example")
    answer += option(51, struct.pack("!I", 4)) + option(58, struct.pack("!I", 1)) + option(59, struct.pack("!I", 3)) + b"\xff"
    renewed = bytes_[12:16] == address and sender[0] == "192.0.2.50"
    sock.sendto(bytes(answer), (sender[0] if renewed else "255.255.255.255", 68))
    renewals -= renewed
    if renewals == 0:
        break
