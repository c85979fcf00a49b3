#!/usr/bin/env python3
"""A small registry that misbehaves on demand, and a token server.

registry.py PORTFILE [--seed NAME=LAYOUT]... [--tls CERT KEY [--client-ca CA]] [--basic USER:PASSWORD]
            [--token USER:PASSWORD [--token-uses N]] [--identity TOKEN] [--log FILE] [--old] [--no-mount] [--chunk-min N]
            [--fault 'METHOD REGEX ACTION [COUNT]']...

With --fault-file the faults are read from a file, again when another file takes its place.

It listens on a port of its own choice on 127.0.0.1, writes "127.0.0.1:PORT" into PORTFILE once it does,
and keeps everything in memory.  A fault is for requests whose method and path match (METHOD may be *);
it is used up after COUNT of them.  Actions, joined by "+":
  status=N       answers with that status             header=NAME:VALUE   one more header
  reset=N        breaks the connection behind N bytes of the body (or before reading more of an upload)
  slow=N         N bytes, then a pause of 20 ms, ...  stall=N             nothing more behind N bytes
  flip           one byte is another                  short=N / long=N    so many bytes less or more
  norange        takes no notice of Range             otherrange          answers with another part
  redirect=URL   307; "@" in it is this server        body=TEXT           that body instead
  drop           closes without an answer             endless=WHAT        body, trailers, headers or interim
                                                      answers without an end; drips: a body of one byte each 0.1 s
"""
import argparse
import base64
import hashlib
import http.server
import json
import os
import re
import socket
import socketserver
import ssl
import struct
import threading
import urllib.parse

ARGS = None
BLOBS, MANIFESTS, UPLOADS, TOKENS = {}, {}, {}, {}
PLACES = set()  # which repository has which blob
LOCK = threading.Lock()


def digest(data, name="sha256"):
    return f"{name}:{hashlib.new(name, data).hexdigest()}"


class Fault:
    def __init__(self, text):
        words = text.split()
        self.method, self.path = words[0], re.compile(words[1])
        self.actions = [a.partition("=")[::2] for a in words[2].split("+")]
        self.left = int(words[3]) if len(words) > 3 else 1 << 30

    def matches(self, method, path):
        if self.left <= 0 or self.method not in ("*", method) or not self.path.search(path):
            return False
        self.left -= 1
        return True

    def get(self, name, default=None):
        for key, value in self.actions:
            if key == name:
                return value.replace("~", " ") or True
        return default


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fault = None

    def log_message(self, *args):
        pass

    def note(self):
        if not ARGS.log:
            return
        auth = self.headers.get("Authorization", "-").split(" ")[0]
        extra = self.headers.get("Range") or self.headers.get("Content-Range") or "-"
        with LOCK, open(ARGS.log, "a") as log:
            log.write(f"{self.command} {self.path} {auth} {extra}\n")

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        try:
            if hasattr(self.connection, "unwrap"):
                self.connection.close()
            os.close(os.dup(self.connection.fileno()))
            self.connection.shutdown(socket.SHUT_RD)
        except OSError:
            pass
        self.connection.close()

    def has(self, name):
        return self.fault.get(name) if self.fault else None

    def send(self, status, body=b"", headers=(), length=None):
        if self.has("status"):
            status, body = int(self.has("status")), b'{"errors":[{"code":"FAULT","message":"on demand"}]}'
        if self.has("body"):
            body = self.has("body").encode()
        if self.has("flip") and body:
            body = body[:-1] + bytes([body[-1] ^ 1])
        if self.has("short"):
            body = body[:-int(self.has("short"))]
        if self.has("long"):
            body += b"x" * int(self.has("long"))
        if self.has("endless"):
            return self.send_endless(status, self.has("endless"))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        for key, value in (self.fault.actions if self.fault else ()):
            if key == "header":
                self.send_header(*value.replace("~", " ").split(":", 1))
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(body)

    def send_endless(self, status, what):
        self.close_connection = True
        line, pause = {"body": (b"10000\r\n" + b"x" * 65536 + b"\r\n", 0),
                       "drips": (b"1\r\n \r\n", 0.1),
                       "interim": (b"HTTP/1.1 102 Processing\r\n\r\n", 0.1)}.get(what, (b"X-a: " + b"b" * 1000 + b"\r\n", 0))
        try:
            if what != "interim":
                self.send_response(status)
            if what not in ("interim", "headers"):
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
            self.flush_headers()
            if what == "trailers":
                self.wfile.write(b"0\r\n")
            while not threading.Event().wait(pause):
                self.wfile.write(line)
        except OSError:
            pass  # whoever asked has gone

    def send_body(self, body):
        if self.has("reset"):
            self.wfile.write(body[:int(self.has("reset"))])
            self.wfile.flush()
            self.reset()
        elif self.has("stall"):
            self.wfile.write(body[:int(self.has("stall"))])
            self.wfile.flush()
            threading.Event().wait(60)
        elif self.has("slow"):
            step = int(self.has("slow"))
            for i in range(0, len(body), step):
                self.wfile.write(body[i:i + step])
                self.wfile.flush()
                threading.Event().wait(0.02)
        else:
            self.wfile.write(body)

    def refuse(self, status, code, headers=()):
        self.send(status, json.dumps({"errors": [{"code": code, "message": code.lower()}]}).encode(), headers)

    # who

    def basic_ok(self, wanted):
        given = self.headers.get("Authorization", "")
        return given == "Basic " + base64.b64encode(wanted.encode()).decode()

    def allowed(self, repo, push):
        if ARGS.basic and not self.basic_ok(ARGS.basic):
            self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", 'Basic realm="here, there"')])
            return False
        if not ARGS.token:
            return True
        value = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with LOCK:
            left, scopes = TOKENS.get(value, (0, []))
            TOKENS[value] = (left - 1, scopes)
        wanted = "push" if push else "pull"
        good = left > 0
        if good and (not repo or any(s.startswith(f"repository:{repo}:") and wanted in s.rsplit(":", 1)[1].split(",")
                                     for s in scopes)):
            return True
        scope = f'repository:{repo}:{"pull,push" if push else "pull"}' if repo else ""
        self.refuse(401, "UNAUTHORIZED", [("WWW-Authenticate", f'Bearer realm="{self.base()}/token",service="test, and more"'
                                           + (f',scope="{scope}"' if scope else ""))])
        return False

    def base(self):
        return f'{"https" if ARGS.tls else "http"}://{self.headers["Host"]}'

    def token(self, query, form):
        scopes = [s for line in query.get("scope", []) + form.get("scope", []) for s in line.split(" ")]
        if form.get("grant_type") == ["refresh_token"]:
            if form.get("refresh_token") != [ARGS.identity]:
                return self.refuse(401, "BAD_IDENTITY")
        elif not self.basic_ok(ARGS.token):
            if "Authorization" in self.headers or not ARGS.anonymous:
                return self.refuse(401, "BAD_PASSWORD")
            scopes = [s for s in scopes if s.endswith(":pull")]
        value = os.urandom(12).hex()
        TOKENS[value] = (ARGS.token_uses, scopes)
        self.send(200, json.dumps({"access_token" if form else "token": value, "expires_in": 60}).encode())

    # what

    def do_any(self):
        self.note()
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        with LOCK:
            reload_faults()
            self.fault = next((f for f in ARGS.faults if f.matches(self.command, self.path)), None)
        if self.has("drop"):
            return self.reset()
        if self.has("redirect") and not query.get("redirected"):
            body_len = int(self.headers.get("Content-Length", 0))
            self.rfile.read(body_len)
            target = self.has("redirect").replace("@", self.base())
            return self.send(307, b"", [("Location", target)])
        if self.command in ("PATCH", "PUT") and self.has("reset"):
            self.partial_upload(url.path, int(self.has("reset")))
            return self.reset()
        self.data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if url.path == "/token":
            return self.token(query, urllib.parse.parse_qs(self.data.decode()) if self.command == "POST" else {})
        if url.path.startswith("/raw/"):
            return self.blob(url.path.removeprefix("/raw/"))
        if url.path == "/v2/":
            return self.allowed("", False) and self.send(200, b"{}")
        if url.path == "/v2/_catalog":
            names = sorted({n for n, _ in MANIFESTS})
            return self.page("repositories", names, query, "/v2/_catalog")
        match = re.fullmatch(r"/v2/(.+)/(blobs/uploads|blobs|manifests|tags|referrers)/([^/]*)", url.path)
        if not match:
            return self.refuse(404, "NOT_FOUND")
        repo, kind, ref = match.groups()
        if not self.allowed(repo, self.command not in ("GET", "HEAD")):
            return None
        return getattr(self, "on_" + kind.replace("/", "_"))(repo, ref, query)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do_any

    def page(self, key, names, query, path):
        count, last = int(query.get("n", ["100"])[0]), query.get("last", [""])[0]
        count = min(count, ARGS.page)
        rest = [n for n in names if n > last]
        more = [("Link", f'<{path}?n={count}&last={rest[count - 1]}>; rel="next"')] if len(rest) > count else []
        self.send(200, json.dumps({key: rest[:count]}).encode(), more)

    def on_tags(self, repo, ref, query):
        names = sorted(t for n, t in MANIFESTS if n == repo and ":" not in t)
        if not names:
            return self.refuse(404, "NAME_UNKNOWN")
        return self.page("tags", names, query, f"/v2/{repo}/tags/list")

    def on_referrers(self, repo, ref, query):
        if ARGS.old:
            return self.refuse(404, "NOT_FOUND")
        found = []
        for (name, tag), (data, kind) in MANIFESTS.items():
            if name == repo and ":" in tag:
                doc = json.loads(data)
                if (doc.get("subject") or {}).get("digest") == ref:
                    found.append({"mediaType": kind, "digest": tag, "size": len(data),
                                  "artifactType": doc.get("artifactType") or doc["config"]["mediaType"]})
        return self.send(200, json.dumps({"schemaVersion": 2, "manifests": found}).encode())

    def on_manifests(self, repo, ref, query):
        if self.command == "PUT":
            for item in json.loads(self.data).get("layers", []) + json.loads(self.data).get("manifests", []):
                if (repo, item["digest"]) not in PLACES and (repo, item["digest"]) not in MANIFESTS:
                    return self.refuse(400, "MANIFEST_BLOB_UNKNOWN")
            entry = (self.data, self.headers["Content-Type"])
            MANIFESTS[repo, ref] = MANIFESTS[repo, digest(self.data)] = MANIFESTS[repo, digest(self.data, "sha512")] = entry
            subject = json.loads(self.data).get("subject")
            return self.send(201, b"", [("OCI-Subject", subject["digest"])] if subject and not ARGS.old else [])
        if (repo, ref) not in MANIFESTS:
            return self.refuse(404, "MANIFEST_UNKNOWN")
        data, kind = MANIFESTS[repo, ref]
        return self.send(200, data, [("Content-Type", kind), ("Docker-Content-Digest", digest(data)),
                                     ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "76;w=21600")])

    def on_blobs(self, repo, ref, query):
        if (repo, ref) not in PLACES:
            return self.refuse(404, "BLOB_UNKNOWN")
        return self.blob(ref)

    def blob(self, ref):
        if ref not in BLOBS:
            return self.refuse(404, "BLOB_UNKNOWN")
        data, wanted = BLOBS[ref], re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not wanted or self.has("norange"):
            return self.send(200, data)
        first = int(wanted[1])
        if first >= len(data):
            return self.refuse(416, "RANGE_INVALID")
        told = first - 1 if self.has("otherrange") else first
        return self.send(206, data[first:], [("Content-Range", f"bytes {told}-{len(data) - 1}/{len(data)}")])

    def partial_upload(self, path, count):
        name = path.rsplit("/", 1)[1]
        got = self.rfile.read(min(count, int(self.headers.get("Content-Length", 0))))
        if name in UPLOADS and self.command == "PATCH":
            UPLOADS[name] += got

    def place(self, repo, name):
        return [("Location", f"/v2/{repo}/blobs/uploads/{name}?state={os.urandom(4).hex()}"),
                ("Range", f"0-{max(len(UPLOADS[name]) - 1, 0)}"),
                *([("OCI-Chunk-Min-Length", str(ARGS.chunk_min))] if ARGS.chunk_min else [])]

    def on_blobs_uploads(self, repo, ref, query):
        if self.command == "POST":
            mount = query.get("mount", [""])[0]
            if (query.get("from", [""])[0], mount) in PLACES and not ARGS.no_mount:
                PLACES.add((repo, mount))
                return self.send(201)
            name = os.urandom(8).hex()
            UPLOADS[name] = b""
            return self.send(202, b"", self.place(repo, name))
        if ref not in UPLOADS:
            return self.refuse(404, "BLOB_UPLOAD_UNKNOWN")
        if self.command == "GET":
            return self.send(204, b"", self.place(repo, ref))
        if self.command == "DELETE":
            del UPLOADS[ref]
            return self.send(204)
        given = re.fullmatch(r"(\d+)-(\d+)", self.headers.get("Content-Range", ""))
        if given and int(given[1]) != len(UPLOADS[ref]):
            return self.send(416, b"", self.place(repo, ref))
        UPLOADS[ref] += self.data
        if self.command == "PATCH":
            return self.send(202, b"", self.place(repo, ref))
        data, wanted = UPLOADS.pop(ref), query["digest"][0]
        if digest(data, wanted.partition(":")[0]) != wanted:
            return self.refuse(400, "DIGEST_INVALID")
        BLOBS[wanted] = data
        PLACES.add((repo, wanted))
        return self.send(201, b"", [("Docker-Content-Digest", wanted)])


def reload_faults():
    try:
        stamp = os.stat(ARGS.fault_file).st_ino
    except (OSError, TypeError):
        return
    if stamp != ARGS.fault_stamp:
        ARGS.fault_stamp = stamp
        ARGS.faults = [Fault(line) for line in open(ARGS.fault_file) if line.strip()]


def seed(text):
    name, _, layout = text.partition("=")
    index = json.load(open(f"{layout}/index.json"))
    for hash_name in os.listdir(f"{layout}/blobs"):
        for item in os.listdir(f"{layout}/blobs/{hash_name}"):
            BLOBS[f"{hash_name}:{item}"] = open(f"{layout}/blobs/{hash_name}/{item}", "rb").read()

    PLACES.update((name, d) for d in BLOBS)

    def add(descriptor, tag):
        data = BLOBS[descriptor["digest"]]
        doc = json.loads(data)
        for key in digest(data), digest(data, "sha512"):
            MANIFESTS[name, key] = (data, descriptor["mediaType"])
        if tag:
            MANIFESTS[name, tag] = (data, descriptor["mediaType"])
        for inner in doc.get("manifests", []):
            if inner["digest"] in BLOBS:
                add(inner, None)

    for descriptor in index["manifests"]:
        tag = descriptor.get("annotations", {}).get("org.opencontainers.image.ref.name", "latest")
        add(descriptor, tag.rpartition(":")[2])


def main():
    global ARGS
    parser = argparse.ArgumentParser()
    parser.add_argument("port_file")
    parser.add_argument("--seed", action="append", default=[])
    parser.add_argument("--fault", dest="faults", type=Fault, action="append", default=[])
    parser.add_argument("--fault-file")
    parser.add_argument("--tls", nargs=2)
    parser.add_argument("--client-ca")
    parser.add_argument("--basic")
    parser.add_argument("--token")
    parser.add_argument("--token-uses", type=int, default=1 << 30)
    parser.add_argument("--anonymous", action="store_true")
    parser.add_argument("--identity")
    parser.add_argument("--log")
    parser.add_argument("--old", action="store_true")
    parser.add_argument("--no-mount", action="store_true")
    parser.add_argument("--chunk-min", type=int, default=0)
    parser.add_argument("--page", type=int, default=1000)
    ARGS = parser.parse_args()
    ARGS.fault_stamp = None
    for text in ARGS.seed:
        seed(text)
    # Not HTTPServer, which asks the name service who 127.0.0.1 is.
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    socketserver.ThreadingTCPServer.request_queue_size = 64
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *args: None
    if ARGS.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*ARGS.tls)
        if ARGS.client_ca:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(ARGS.client_ca)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(ARGS.port_file + ".new", "w") as out:
        out.write(f"127.0.0.1:{server.server_address[1]}")
    os.rename(ARGS.port_file + ".new", ARGS.port_file)
    server.serve_forever()


main()
