#!/usr/bin/env python3
"""Take one terminal's master from a runtime and keep what is printed there.

Usage: console.py SOCKET FILE
"""
import array
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
peer, _ = listener.accept()
_, extra, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(4))
master = array.array("i", extra[0][2])[0]
with open(sys.argv[2], "wb", buffering=0) as out:
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:  # EIO: the last one who had it open is gone
            break
        if not data:
            break
        out.write(data)
