#!/usr/bin/env python3
"""Archives that say much with few bytes.

hostile.py links|huge|negative|sum|copies FILE | dirs FILE N (gzip) | claims GOOD EVIL (layouts; prints the digest of the blob that lies) | windows FOLDER (a layout)
"""
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile

END = b"\0" * 1024


def header(name, size=0, kind=b"0", link=b"", real=None, pieces=()):
    h = bytearray(512)
    h[:len(name)] = name
    h[100:124] = b"0000644\0" + b"0000000\0" * 2
    h[124:136] = b"%011o\0" % size
    h[136:148] = b"%011o\0" % 0
    h[156:157] = kind
    h[157:157 + len(link)] = link
    h[257:265] = b"ustar  \0"
    for i, (offset, length) in enumerate(pieces):
        h[386 + 24 * i:410 + 24 * i] = b"%011o\0%011o\0" % (offset, length)
    if real is not None:
        h[483:495] = (b"\x80" if real >= 0 else b"\xff") + (real % 2 ** 88).to_bytes(11, "big")
    h[148:156] = b" " * 8
    h[148:156] = b"%06o\0 " % sum(h)
    return bytes(h)


def sparse(name, real, data=b"", pieces=()):
    return header(name, len(data), b"S", real=real, pieces=pieces) + data + b"\0" * (-len(data) % 512)


def link(name, target):
    return header(name, kind=b"1", link=target)


def config(layers):
    return json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                       "rootfs": {"type": "layers", "diff_ids": layers}}).encode()


def docker(path, layers):
    with tarfile.open(path, "w") as tar:
        def add(name, data):
            t = tarfile.TarInfo(name)
            t.size = len(data)
            tar.addfile(t, io.BytesIO(data))
        for i, layer in enumerate(layers):
            add(f"{i}.tar", layer)
        add("c.json", config(["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]))
        add("manifest.json", json.dumps([{"Config": "c.json", "RepoTags": ["hostile:1"],
                                          "Layers": [f"{i}.tar" for i in range(len(layers))]}]).encode())


def dirs(path, n):
    name = b"/".join([b"a" * 240] * 16) + b"/"
    one = header(b"././@LongLink", len(name) + 1, b"L") + name + b"\0" * (512 - len(name) % 512) + header(b"a", kind=b"5")
    with gzip.open(path, "wb", 1) as out, io.BytesIO() as head:
        digest = hashlib.sha256()
        size = len(one) * n + len(END)
        t = tarfile.TarInfo("0.tar")
        t.size = size
        out.write(t.tobuf())
        for _ in range(n):
            digest.update(one)
            out.write(one)
        digest.update(END)
        out.write(END + b"\0" * (-size % 512))
        with tarfile.open(fileobj=head, mode="w") as tar:
            for name, data in (("c.json", config(["sha256:" + digest.hexdigest()])),
                               ("manifest.json", json.dumps([{"Config": "c.json", "RepoTags": ["hostile:1"],
                                                              "Layers": ["0.tar"]}]).encode())):
                t = tarfile.TarInfo(name)
                t.size = len(data)
                tar.addfile(t, io.BytesIO(data))
        out.write(head.getvalue())


def layout(folder, *layers):
    os.makedirs(folder + "/blobs/sha256")

    def put(data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        with open(f"{folder}/blobs/sha256/{digest}", "wb") as out:
            out.write(data)
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + digest, "size": len(data), **more}
    parts = [put(blob, "layer.v1." + kind) for blob, kind, diff_id in layers]
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": put(config([l[2] for l in layers]), "config.v1+json"), "layers": parts}
    last = put(json.dumps(manifest).encode(), "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "latest"})
    with open(folder + "/index.json", "w") as out:
        json.dump({"schemaVersion": 2, "manifests": [last]}, out)
    with open(folder + "/oci-layout", "w") as out:
        out.write('{"imageLayoutVersion":"1.0.0"}')
    return parts[0]["digest"][7:]


def claims(good, evil):
    tar = header(b"f", 100000) + os.urandom(100000) + b"\0" * (-100000 % 512) + END
    diff_id = "sha256:" + hashlib.sha256(tar).hexdigest()
    layout(good, (tar, "tar", diff_id))
    print(layout(evil, (gzip.compress(os.urandom(4000000)), "tar+gzip", diff_id)))


def windows(folder):
    layers = []
    for i in range(3):
        tar = header(b"f%d" % i, 140 << 20) + bytes([i]) * (140 << 20) + END
        blob = subprocess.run(["zstd", "-q", "-c", "-1", "--long=27"], input=tar, capture_output=True, check=True).stdout
        layers.append((blob, "tar+zstd", "sha256:" + hashlib.sha256(tar).hexdigest()))
    layout(folder, *layers)


MB = 1 << 20
HOLED = sparse(b"a", 100 * MB, b"data" + b"tail", ((0, 4), (100 * MB - 4, 4)))
KINDS = {
    "links": [HOLED + END, header(b".wh.a") + b"".join(link(b"c%d" % i, b"a") for i in range(4)) + END],
    "huge": [sparse(b"a", 1 << 62) + END],
    "negative": [sparse(b"a", -5) + END],
    "sum": [b"".join(sparse(b"f%d" % i, 1 << 35) for i in range(3)) + END],
    # Each is another file below, so that there is one copy of each.
    "copies": [b"".join(sparse(b"f%d" % i, 40 << 30) for i in range(1)) + END, sparse(b"g", 40 << 30) + END,
               link(b"h", b"f0") + link(b"i", b"g") + END],
}

if __name__ == "__main__":
    if sys.argv[1] == "dirs":
        dirs(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "claims":
        claims(sys.argv[2], sys.argv[3])
    elif sys.argv[1] == "windows":
        windows(sys.argv[2])
    else:
        docker(sys.argv[2], KINDS[sys.argv[1]])
