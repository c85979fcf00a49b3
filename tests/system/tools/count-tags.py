#!/usr/bin/env python3
"""Usage: count-tags.py INTERFACE...: prints "INTERFACE VLAN" for the first frame of IPv4 on each."""
import select
import socket
import struct
import sys

SOL_PACKET, PACKET_AUXDATA, ETH_P_IP, ETH_P_ALL, VALID = 263, 8, 0x0800, 3, 0x10

waiting = {}
for name in sys.argv[1:]:
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.bind((name, 0))
    waiting[s] = name
print("ready", flush=True)
while waiting:
    ready = select.select(list(waiting), [], [], 10)[0]
    if not ready:
        sys.exit("no frame came")
    for s in ready:
        frame, control, _, _ = s.recvmsg(2000, 200)
        vlan = 0
        for _, _, data in control:
            status, _, _, _, _, tci, _ = struct.unpack("IIIHHHH", data[:20])
            vlan = tci & 0xFFF if status & VALID else 0
        if frame[12:14] == b"\x81\x00":
            vlan = int.from_bytes(frame[14:16], "big") & 0xFFF
            frame = frame[:12] + frame[16:]
        if frame[12:14] == b"\x08\x00":
            print(waiting.pop(s), vlan, flush=True)
