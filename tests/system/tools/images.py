#!/usr/bin/env python3
"""Image archives for the tests: good ones, and what an attacker would send.

images.py layers FILE [COMPRESSION [NAME]] | config FILE | stack FOLDER [gzip] | big FILE | twice FILE | links FILE | many FILE FIRST LAST | chunked FOLDER KIND | zeros FILE MB | case NAME FILE | list | hostile DIR VICTIM (all cases)
"""
import gzip
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tarfile

BUSYBOX = open("/bin/busybox", "rb").read()


def sha(data):
    return hashlib.sha256(data).hexdigest()


def entry(name, **kw):
    t = tarfile.TarInfo(name)
    t.mtime = 1000000000
    t.mode = 0o644
    for key, value in kw.items():
        setattr(t, key, value)
    return t


def layer(*entries, fmt=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=fmt) as tar:
        for e in entries:
            t, data = e if isinstance(e, tuple) else (e, None)
            if data is not None:
                t.size = len(data)
            tar.addfile(t, io.BytesIO(data) if data is not None else None)
    return out.getvalue()


def directory(name, **kw):
    return entry(name, type=tarfile.DIRTYPE, **{"mode": 0o755, **kw})


def base(*more):
    links = [entry("bin/" + n, type=tarfile.SYMTYPE, linkname="busybox")
             for n in ("sh", "cat", "ls", "stat", "readlink", "echo", "id", "tail", "true", "trap")]
    return layer(directory("bin"), (entry("bin/busybox", mode=0o755), BUSYBOX), *links, *more)


def write_docker(path, layers, config=None, names=("test:1",), manifest=None, rootfs=None, packed=None, extra=(), history=None):
    config = dict(config or {})
    doc = {"architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z", "config": config,
           "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(l) for l in layers]}}
    if history is not None:
        doc["history"] = history
    if rootfs is not None:
        doc["rootfs"] = rootfs
    text = json.dumps(doc).encode()
    with tarfile.open(path, "w") as tar:
        blobs = []
        for i, l in enumerate(layers):
            data = packed(l) if packed else l
            name = f"{i}.tar"
            blobs.append(name)
            t = entry(name, size=len(data))
            tar.addfile(t, io.BytesIO(data))
        t = entry(sha(text) + ".json", size=len(text))
        tar.addfile(t, io.BytesIO(text))
        m = manifest if manifest is not None else json.dumps(
            [{"Config": sha(text) + ".json", "RepoTags": list(names), "Layers": blobs}]).encode()
        tar.addfile(entry("manifest.json", size=len(m)), io.BytesIO(m))
        for e in extra:
            t, data = e
            t.size = len(data)
            tar.addfile(t, io.BytesIO(data))


def write_layers(path, compression="none", name="test:1"):
    first = base(directory("etc"), (entry("etc/kept"), b"first\n"), (entry("gone"), b"x"),
                 directory("opaque"), (entry("opaque/old"), b"x"), directory("dir", mode=0o750, uid=7, gid=8),
                 (entry("dir/old"), b"x"), (entry("bin/suid", mode=0o4755), b"x"),
                 entry("link", type=tarfile.SYMTYPE, linkname="../etc/kept"),
                 (entry("a/deep/" + "n" * 120), b"long"), (entry("sub", mtime=1000000000.25), b"t"))
    second = layer((entry("etc/kept"), b"second\n"), (entry(".wh.gone"), b""),
                   directory("opaque"), (entry("opaque/.wh..wh..opq"), b""), (entry("opaque/only"), b"x"),
                   (entry("dir/.wh.old"), b""), (entry("dir/new"), b"x"), (entry("orig"), b"hard\n"),
                   entry("hard", type=tarfile.LNKTYPE, linkname="orig"))
    third = layer(entry("again", type=tarfile.LNKTYPE, linkname="etc/kept"), (entry(".wh.sub"), b""))
    write_docker(path, [first, second, third], names=(name,), packed=gzip.compress if compression == "gzip" else None)


def write_config(path):
    script = b"#!/bin/sh\necho entry \"$@\" $FROM $(id -u) $PWD\n"
    l = base((entry("entry", mode=0o755), script), directory("var/www"), directory("etc"),
             (entry("etc/passwd"), b"root:x:0:0::/:/bin/sh\nwww:x:33:33::/var/www:/bin/sh\n"),
             (entry("etc/group"), b"root:x:0:\nwww:x:33:\n"))
    write_docker(path, [l], config={"Entrypoint": ["/entry"], "Cmd": ["cmd1", "cmd2"], "Env": ["FROM=from-image", "PATH=/bin"],
                                    "User": "www", "WorkingDir": "/var/www", "StopSignal": "SIGUSR2",
                                    "Volumes": {"/data": {}}, "ExposedPorts": {"80/tcp": {}}}, names=("cfg",))


def write_stack(folder, compression="none"):
    """base.tar, the image base:12, and app.tar, the image app:1 on top of it, where a big file is replaced and removed."""
    first = base(directory("etc"), (entry("etc/os-release"), b'ID=debian\nVERSION_ID="12"\n'), (entry("big"), b"x" * 100000),
                 (entry("bin/su", mode=0o4755), b"su"), directory("data"), (entry("data/old"), b"old"), directory("var/lib/dpkg"),
                 (entry("var/lib/dpkg/status"), b"Package: base-files\nStatus: install ok installed\nVersion: 12.4\n"))
    second = layer((entry("big"), b"y" * 50000), (entry("etc/new"), b"1"))
    third = layer((entry(".wh.big"), b""), directory("data"), (entry("data/.wh..wh..opq"), b""), (entry("data/only"), b"2"))
    packed = gzip.compress if compression == "gzip" else None
    write_docker(folder + "/base.tar", [first], names=("base:12",), packed=packed)
    steps = [{"created": "2020-01-01T00:00:00Z", "created_by": "ADD root /"}, {"created_by": "ENV A=b", "empty_layer": True},
             {"created_by": "RUN make big"}, {"created_by": "RUN rm big", "comment": "smaller?"}]
    write_docker(folder + "/app.tar", [first, second, third], names=("app:1",), history=steps, packed=packed,
                 config={"Entrypoint": ["/bin/sh"], "Cmd": ["-c", "echo hi"], "Env": ["PATH=/bin", "A=b"],
                         "ExposedPorts": {"80/tcp": {}}, "Labels": {"a": "b"}, "User": "33"})


def write_twice(path):
    write_docker(path, [layer((entry("a"), b"first"), (entry("a"), b"second, longer"), (entry("b"), b"b"))], names=("twice:1",))


def write_links(path):
    """A layer that needs those below to be unpacked, and one that is there twice."""
    below = layer(directory("etc"), (entry("etc/a"), b"below"))
    above = layer(entry("etc/b", type=tarfile.LNKTYPE, linkname="etc/a"), (entry("etc/deep/new"), b"x" * 9000))
    same = layer((entry("top"), b"same" * 300))
    write_docker(path, [base(), below, above, same, same], names=("links:1",))


def write_many(path, first, last):
    """Images iFIRST:1 to iLAST:1, each of one file of its own."""
    images = []
    with tarfile.open(path, "w") as tar:
        def put(name, data):
            t = entry(name)
            t.size = len(data)
            tar.addfile(t, io.BytesIO(data))
        for i in range(int(first), int(last) + 1):
            data = layer((entry("file"), str(i).encode()))
            config = json.dumps({"architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z", "config": {},
                                 "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(data)]}}).encode()
            put(f"{i}.tar", data)
            put(sha(config) + ".json", config)
            images.append({"Config": sha(config) + ".json", "RepoTags": [f"i{i}:1"], "Layers": [f"{i}.tar"]})
        put("manifest.json", json.dumps(images).encode())


def bad_layer(*entries, **kw):
    return lambda path, victim: write_docker(path, [layer(*entries)], **kw)


def with_victim(make):
    return lambda path, victim: write_docker(path, [layer(*make(victim))])


def raw(data):
    def write(path, victim):
        open(path, "wb").write(data)
    return write


def truncated(path, victim):
    write_layers(path)
    data = open(path, "rb").read()
    open(path, "wb").write(data[:len(data) // 2])


def truncated_gzip(path, victim):
    write_docker(path, [base()], packed=lambda l: gzip.compress(l)[:-200])


def wrong_diff_id(path, victim):
    write_docker(path, [base()], rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64]})


def oci(path, mutate):
    l = base()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(l)]}}).encode()
    parts = {"layer": l, "config": config}
    man = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
           "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + sha(config), "size": len(config)},
           "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + sha(l), "size": len(l)}]}
    index = {"schemaVersion": 2, "manifests": []}
    blobs = {sha(l): l, sha(config): config}
    mutate(man, index, blobs)
    text = json.dumps(man).encode()
    blobs.setdefault(sha(text), text)
    if not index["manifests"]:
        index["manifests"] = [{"mediaType": man["mediaType"], "digest": "sha256:" + sha(text), "size": len(text)}]
    with tarfile.open(path, "w") as tar:
        for name, data in [("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), ("index.json", json.dumps(index).encode())] + \
                [("blobs/sha256/" + k, v) for k, v in blobs.items()]:
            tar.addfile(entry(name, size=len(data)), io.BytesIO(data))
    del parts


def oci_case(mutate):
    return lambda path, victim: oci(path, mutate)


def lying_size(man, index, blobs):
    man["layers"][0]["size"] += 1


def lying_digest(man, index, blobs):
    digest = man["layers"][0]["digest"][7:]
    blobs[digest] = blobs[digest] + b"\0" * 512


def self_index(man, index, blobs):
    # An index cannot hold its own digest; a chain of them that is too deep is the nearest thing.
    inner = json.dumps({"schemaVersion": 2, "manifests": []}).encode()
    for _ in range(20):
        blobs[sha(inner)] = inner
        inner = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
                            "digest": "sha256:" + sha(inner), "size": len(inner),
                            "platform": {"os": "linux", "architecture": "amd64"}}]}).encode()
    blobs[sha(inner)] = inner
    index["manifests"] = [{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": "sha256:" + sha(inner), "size": len(inner)}]


def other_platform(man, index, blobs):
    inner = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": "sha256:" + "1" * 64, "size": 1,
                        "platform": {"os": "linux", "architecture": "vax"}}]}).encode()
    blobs[sha(inner)] = inner
    index["manifests"] = [{"mediaType": "x", "digest": "sha256:" + sha(inner), "size": len(inner)}]


def negative_size(man, index, blobs):
    man["layers"][0]["size"] = -5


def path_digest(man, index, blobs):
    man["config"]["digest"] = "sha256:../../../../etc/passwd"


def patched(info, data=b"", **fields):
    """A member whose header says something that no writer writes: fields are (offset, bytes)."""
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    for offset, value in fields.values():
        header[offset:offset + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + data + b"\0" * (-len(data) % 512)


def binary(value, width):
    """GNU's way to write numbers that octal digits have no room for."""
    return (value if value >= 0 else (1 << 8 * width) + value).to_bytes(width, "big") if value < 0 else \
        b"\x80" + value.to_bytes(width - 1, "big")


def raw_layer(*pieces, packed=None):
    return lambda path, victim: write_docker(path, [b"".join(pieces) + b"\0" * 1024], packed=packed)


def pax(**records):
    lines = b""
    for key, value in records.items():
        body = b" " + key.encode() + b"=" + value + b"\n"
        length = len(body) + 1
        while length != len(str(length)) + len(body):
            length = len(str(length)) + len(body)
        lines += str(length).encode() + body
    return pax_raw(lines)


def pax_raw(lines):
    return patched(entry("pax", type=tarfile.XHDTYPE, size=len(lines)), lines)


FILE = patched(entry("f", size=1), b"x")


def ambiguous(man, index, blobs):
    man["manifests"] = [{"mediaType": "x", "digest": man["config"]["digest"], "size": 1}]


def config_size_lies(man, index, blobs):
    man["config"]["size"] -= 1


def layer_is_index(man, index, blobs):
    man["layers"][0]["digest"] = man["config"]["digest"]
    man["layers"][0]["size"] = man["config"]["size"]


def many_descriptors(man, index, blobs):
    man["layers"] = man["layers"] * 5000


def duplicate_layers(man, index, blobs):
    man["layers"] = man["layers"] * 2


def twice(path, victim):
    """Two manifests in one archive: whoever checks one and unpacks by the other is had."""
    write_docker(path, [base()], extra=[(entry("manifest.json"), b"[]")])


def member_is_link(path, victim):
    with tarfile.open(path, "w") as tar:
        tar.addfile(entry("manifest.json", type=tarfile.SYMTYPE, linkname=victim))


def member_loop(path, victim):
    with tarfile.open(path, "w") as tar:
        tar.addfile(entry("manifest.json", type=tarfile.SYMTYPE, linkname="b"))
        tar.addfile(entry("b", type=tarfile.SYMTYPE, linkname="manifest.json"))


CASES = {
    # numbers
    "size-negative": raw_layer(patched(entry("f"), size=(124, binary(-512, 12)))),
    "size-huge": raw_layer(patched(entry("f"), size=(124, binary(2 ** 62, 12)))),
    "size-not-octal": raw_layer(patched(entry("f"), size=(124, b"99999999999\0"))),
    "size-too-long": raw_layer(patched(entry("f", size=2 ** 30), b"x")),
    "pax-size-negative": raw_layer(pax(size=b"-1"), FILE),
    "pax-size-overflow": raw_layer(pax(size=b"99999999999999999999999"), FILE),
    "pax-size-word": raw_layer(pax(size=b"many"), FILE),
    "pax-length-lies": raw_layer(pax_raw(b"999999 path=x\n"), FILE),
    "pax-length-zero": raw_layer(pax_raw(b"0 path=x\n"), FILE),
    "pax-no-equals": raw_layer(pax_raw(b"9 pathxx\n"), FILE),
    "pax-too-large": raw_layer(patched(entry("pax", type=tarfile.XHDTYPE, size=2 ** 40)), FILE),
    "pax-path-escapes": raw_layer(pax(path=b"../../escaped"), FILE),
    "pax-link-escapes": raw_layer(pax(linkpath=b"../../../../../../etc/passwd"), patched(entry("l", type=tarfile.LNKTYPE, linkname="f"))),
    "pax-path-empty": raw_layer(pax(path=b""), FILE),
    "pax-uid-negative": raw_layer(pax(uid=b"-1"), FILE),
    "gnu-name-too-long": raw_layer(patched(entry("././@LongLink", type=b"L", size=2 ** 24)), b"n" * 2 ** 24, FILE),
    "gnu-sparse-overlaps": raw_layer(pax(**{"GNU.sparse.major": b"0", "GNU.sparse.minor": b"1", "GNU.sparse.size": b"10",
                                             "GNU.sparse.map": b"5,5,0,5"}), patched(entry("f", size=10), b"0123456789")),
    "gnu-sparse-outside": raw_layer(pax(**{"GNU.sparse.major": b"0", "GNU.sparse.minor": b"1", "GNU.sparse.size": b"10",
                                            "GNU.sparse.map": b"9223372036854775800,10"}), patched(entry("f", size=10), b"0123456789")),
    "checksum-wrong": raw_layer(FILE[:148] + b"000000\0 " + FILE[156:]),
    "device-is-whiteout": bad_layer(entry("gone", type=tarfile.CHRTYPE, devmajor=0, devminor=0)),
    "hardlink-to-itself": bad_layer(entry("l", type=tarfile.LNKTYPE, linkname="l")),
    "hardlink-to-nothing": bad_layer(entry("l", type=tarfile.LNKTYPE, linkname="nowhere")),
    "hardlink-to-dir": bad_layer(directory("d"), entry("l", type=tarfile.LNKTYPE, linkname="d")),
    "whiteout-escapes": bad_layer((entry("../.wh.victim"), b"")),
    "whiteout-via-link": with_victim(lambda v: [entry("s", type=tarfile.SYMTYPE, linkname=v.rsplit("/", 1)[0]), (entry("s/.wh.victim"), b"")]),
    "ok-case": bad_layer((entry("Name"), b"1"), (entry("name"), b"2"), directory("NAME")),
    "ok-time-far": bad_layer((entry("f", mtime=2 ** 33), b"x"), (entry("g", mtime=-5), b"x")),
    "ok-xattr-of-overlay": raw_layer(pax(**{"SCHILY.xattr.trusted.overlay.opaque": b"y", "SCHILY.xattr.trusted.overlay.redirect": b"/etc"}),
                                     patched(directory("d"))),
    "ok-zeros-behind": raw_layer(FILE, b"\0" * 512 * 100),
    # documents
    "oci-ambiguous": oci_case(ambiguous),
    "oci-config-size-lies": oci_case(config_size_lies),
    "oci-layer-is-config": oci_case(layer_is_index),
    "oci-many-descriptors": oci_case(many_descriptors),
    "oci-layers-twice": oci_case(duplicate_layers),
    "manifest-is-link": member_is_link,
    "manifest-is-loop": member_loop,
    "manifest-twice": twice,
    "dotdot": bad_layer((entry("../escaped"), b"x")),
    "dotdot-deep": bad_layer((entry("a/b/../../../../escaped"), b"x")),
    "dotdot-dir": bad_layer(directory("../../escaped")),
    "hardlink-dotdot": with_victim(lambda v: [entry("l", type=tarfile.LNKTYPE, linkname="../" * 20 + v[1:])]),
    "hardlink-absolute": with_victim(lambda v: [entry("l", type=tarfile.LNKTYPE, linkname=v)]),
    "hardlink-via-symlink": with_victim(lambda v: [entry("s", type=tarfile.SYMTYPE, linkname=v.rsplit("/", 1)[0]),
                                                   entry("l", type=tarfile.LNKTYPE, linkname="s/victim")]),
    "whiteout-dot": bad_layer((entry(".wh.."), b"")),
    "whiteout-dotdot": bad_layer((entry("a/.wh..."), b"")),
    "whiteout-empty": bad_layer((entry(".wh."), b"")),
    "file-as-dir": bad_layer((entry("f"), b"x"), (entry("f/g"), b"y")),
    "symlink-loop": bad_layer(entry("a", type=tarfile.SYMTYPE, linkname="b"), entry("b", type=tarfile.SYMTYPE, linkname="a"),
                              (entry("a/x"), b"x")),
    "deep": bad_layer((entry("d/" * 500 + "f"), b"x")),
    "root-is-file": bad_layer((entry("./"), b"x")),
    "uid-too-large": bad_layer((entry("f", uid=2 ** 40), b"x")),
    "truncated": truncated,
    "truncated-gzip": truncated_gzip,
    "empty-file": raw(b""),
    "not-a-tar": raw(b"hello world\n" * 1000),
    "random-gzip": raw(gzip.compress(b"nothing" * 10000)),
    "wrong-diff-id": wrong_diff_id,
    "no-manifest": lambda p, v: write_docker(p, [base()], manifest=b"[]"),
    "manifest-garbage": lambda p, v: write_docker(p, [base()], manifest=b"{\"a\":" * 3000),
    "manifest-not-json": lambda p, v: write_docker(p, [base()], manifest=b"\xff\xfe"),
    "manifest-escape": lambda p, v: write_docker(p, [base()], manifest=json.dumps(
        [{"Config": "../../../../etc/passwd", "RepoTags": ["x"], "Layers": []}]).encode()),
    "layer-escape": lambda p, v: write_docker(p, [base()], manifest=json.dumps(
        [{"Config": "../x", "RepoTags": [], "Layers": [v]}]).encode()),
    "bad-name": lambda p, v: write_docker(p, [base()], names=("UPPER case",)),
    "bad-diff-ids": lambda p, v: write_docker(p, [base()], rootfs={"type": "layers", "diff_ids": ["md5:1"]}),
    "missing-diff-ids": lambda p, v: write_docker(p, [base()], rootfs={"type": "layers", "diff_ids": []}),
    "too-many-layers": lambda p, v: write_docker(p, [layer()] * 200),
    "member-dotdot": lambda p, v: write_docker(p, [base()], extra=[(entry("../../escaped"), b"x")]),
    "oci-size-lies": oci_case(lying_size),
    "oci-digest-lies": oci_case(lying_digest),
    "oci-index-deep": oci_case(self_index),
    "oci-other-platform": oci_case(other_platform),
    "oci-negative-size": oci_case(negative_size),
    "oci-digest-is-path": oci_case(path_digest),
    # These are strange, and harmless: they stay inside.
    "ok-absolute": with_victim(lambda v: [(entry(v), b"overwritten")]),
    "ok-symlink-out": with_victim(lambda v: [entry("s", type=tarfile.SYMTYPE, linkname=v.rsplit("/", 1)[0]),
                                             (entry("s/victim"), b"overwritten")]
                                  if False else [entry("s", type=tarfile.SYMTYPE, linkname=v)]),
    "ok-replaced": bad_layer((entry("f"), b"x"), directory("f"), (entry("f/g"), b"y"), (entry("f"), b"z")),
    "ok-duplicates": bad_layer(*[(entry("same"), b"x")] * 500),
    "ok-device": bad_layer(entry("null", type=tarfile.CHRTYPE, devmajor=1, devminor=3)),
    "ok-many": bad_layer(*[entry(f"d/{i}", type=tarfile.SYMTYPE, linkname="x") for i in range(20000)]),
    "ok-oci": oci_case(lambda man, index, blobs: None),
}


# Layers with a table of contents for readers that fetch single files; for all others plain zstd or gzip.

def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def skippable(data):
    return struct.pack("<II", 0x184D2A50, len(data)) + data


def zstd_chunked(tar):
    """A frame for each 100 kB, the table in a frame to be skipped, and a footer that says where it is."""
    blob = b"".join(zstd(tar[i:i + 100000]) for i in range(0, len(tar), 100000))
    toc = json.dumps({"version": 1, "entries": [{"type": "reg", "name": "etc/passwd", "size": 1, "digest": "sha256:" + "0" * 64}]}).encode()
    packed = zstd(toc)
    at = len(blob) + 8
    blob += skippable(packed)
    blob += skippable(struct.pack("<QQQQ8s", at, len(packed), len(toc), 1, b"GNUlInUx"))
    return blob, {"io.github.containers.zstd-chunked.manifest-checksum": "sha256:" + sha(packed),
                  "io.github.containers.zstd-chunked.manifest-position": f"{at}:{len(packed)}:{len(toc)}:1"}, "tar+zstd"


def estargz(tar):
    """A member for each 100 kB, the table as the last file of the archive, and an empty member whose header says where it is."""
    toc = json.dumps({"version": 1, "entries": []}).encode()
    end = layer((entry("stargz.index.json"), toc))
    data = tar.rstrip(b"\0")
    data += b"\0" * (-len(data) % 512)
    first = b"".join(gzip.compress(data[i:i + 100000], mtime=0) for i in range(0, len(data), 100000))
    blob = first + gzip.compress(end, mtime=0)
    extra = b"SG" + struct.pack("<H", 22) + b"%016xSTARGZ" % len(first)
    blob += b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H", len(extra)) + extra + b"\x01\0\0\xff\xff" + b"\0" * 8
    return blob, {"containerd.io/snapshot/stargz/toc.digest": "sha256:" + sha(toc)}, "tar+gzip"


def write_chunked(folder, kind):
    tar = base(directory("etc"), (entry("etc/kept"), b"chunked\n"))
    blob, notes, suffix = (zstd_chunked if kind == "zstd-chunked" else estargz)(tar)
    plain = tar if kind == "zstd-chunked" else b"".join(gzip.GzipFile(fileobj=io.BytesIO(blob)).readlines())
    os.makedirs(folder + "/blobs/sha256")

    def put(data, media_type, **more):
        with open(f"{folder}/blobs/sha256/{sha(data)}", "wb") as file:
            file.write(data)
        return {"mediaType": "application/vnd.oci.image." + media_type, "digest": "sha256:" + sha(data), "size": len(data), **more}
    config = put(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(plain)]}}).encode(),
                 "config.v1+json")
    manifest = put(json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config,
                               "layers": [put(blob, "layer.v1." + suffix, annotations=notes)]}).encode(),
                   "manifest.v1+json", annotations={"org.opencontainers.image.ref.name": "1"})
    with open(folder + "/index.json", "w") as file:
        json.dump({"schemaVersion": 2, "manifests": [manifest]}, file)
    with open(folder + "/oci-layout", "w") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')


def write_zeros(path, megabytes):
    """An image of one file of zeros; written in pieces, packed to almost nothing."""
    size = int(megabytes) << 20
    head = entry("zeros", size=size).tobuf(tarfile.PAX_FORMAT)
    piece, diff = b"\0" * (1 << 20), hashlib.sha256(head)
    packed = gzip.compress(head) + gzip.compress(piece, 1) * int(megabytes) + gzip.compress(b"\0" * 1024)
    for _ in range(int(megabytes)):
        diff.update(piece)
    diff.update(b"\0" * 1024)
    write_docker(path, [packed], rootfs={"type": "layers", "diff_ids": ["sha256:" + diff.hexdigest()]}, names=("zeros:1",))


def main():
    what, *args = sys.argv[1:]
    if what == "list":
        print(" ".join(CASES))
    elif what == "layers":
        write_layers(*args)
    elif what == "config":
        write_config(*args)
    elif what == "links":
        write_links(*args)
    elif what == "twice":
        write_twice(*args)
    elif what == "stack":
        write_stack(*args)
    elif what == "many":
        write_many(*args)
    elif what == "chunked":
        write_chunked(*args)
    elif what == "case":
        CASES[args[0]](args[1], "/nowhere/victim")
    elif what == "zeros":
        write_zeros(*args)
    elif what == "big":
        write_docker(args[0], [base(*[(entry(f"f{i}"), bytes([i % 256]) * 1000000) for i in range(150)])])
    else:
        folder, victim = args
        for case, write in CASES.items():
            write(f"{folder}/{case}.tar", victim)


main()
