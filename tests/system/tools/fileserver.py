#!/usr/bin/env python3
"""Files by HTTP, well and badly: fileserver.py DIR PORTFILE LOG

It listens on 127.0.0.1, writes its port into PORTFILE once it does, and a line for each request into LOG.
/NAME has a strong ETag and a Last-Modified of 2001-02-03 04:05:06; before it may stand, several of them:
  /weak      the ETag is weak                /none       no ETag and no date
  /to        redirects to what follows       /loop       redirects to itself
  /named     Content-Disposition: ../its-name
  /break     breaks in the middle, once      /changed    the same, and it is another file then
  /busy      503, once                       /private    wants "Authorization: Bearer open-sesame"
"""
import hashlib
import http.server
import os
import sys
import threading

ROOT, PORTFILE, LOG = sys.argv[1:]
SEEN = set()
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def first(self):
        with LOCK:
            new = self.path not in SEEN
            SEEN.add(self.path)
        return new

    def do_GET(self):
        with LOCK, open(LOG, "a") as log:
            print(self.path, self.headers.get("Range", "-"), self.headers.get("Authorization", "-"), file=log)
        words = self.path.split("?")[0].strip("/").split("/")
        while len(words) > 1 and words[0] == "to":
            return self.answer(302, Location="/" + "/".join(words[1:]))
        name, flags = words[-1], set(words[:-1])
        if "loop" in flags:
            return self.answer(302, Location=self.path)
        if "private" in flags and self.headers.get("Authorization") != "Bearer open-sesame":
            return self.answer(401)
        first = self.first()
        if "busy" in flags and first:
            return self.answer(503)
        try:
            data = open(os.path.join(ROOT, name), "rb").read()
        except OSError:
            return self.answer(404)
        if "changed" in flags and not first:
            data = data[::-1]
        return self.file(data, flags, first)

    def file(self, data, flags, first):
        tag = '"%s"' % hashlib.sha256(data).hexdigest()
        headers = {}
        if "none" not in flags:
            headers["ETag"] = "W/" + tag if "weak" in flags else tag
            headers["Last-Modified"] = "Sat, 03 Feb 2001 04:05:06 GMT"
        if "named" in flags:
            headers["Content-Disposition"] = 'attachment; filename="../its-name"'
        if flags & {"break", "changed"} and first:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
            self.wfile.flush()
            self.close_connection = True
            return None
        begin = self.headers.get("Range")
        if begin:
            at = int(begin[6:].rstrip("-"))
            return self.answer(206, data[at:], Content_Range=f"bytes {at}-{len(data) - 1}/{len(data)}", **headers)
        return self.answer(200, data, **headers)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORTFILE + ".new", "w") as f:
    f.write(str(server.server_port))
os.rename(PORTFILE + ".new", PORTFILE)
server.serve_forever()
