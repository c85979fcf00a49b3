#!/usr/bin/env python3
"""What layers can say: an archive of tricky ones, and trees listed so that they can be compared.

layers.py image FILE      a docker-archive named cases:1; on standard output what its root must be like; DEVICES=0 and
                          DUPLICATES=0 leave these out
layers.py list DIR        DIR in the same form
layers.py tar-layers DIR FILE...   a docker-archive named tars:1 of given layers, in FILE's last place
"""
import hashlib
import io
import json
import os
import stat
import sys
import tarfile

D, F, L, H = tarfile.DIRTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
CAPS = bytes.fromhex("0100000200040000000000000000000000000000")  # cap_net_bind_service=ep, version 2
T = 1000000000
DEVICES = os.environ.get("DEVICES", "1") == "1"  # that a user namespace may not make, and owners that it has not
DUPLICATES = os.environ.get("DUPLICATES", "1") == "1"  # which podman refuses


def sha(data):
    return hashlib.sha256(data).hexdigest()


class Layer:
    def __init__(self, fmt=tarfile.PAX_FORMAT):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=fmt, errors="surrogateescape")

    def add(self, name, kind=F, data=b"", xattrs=None, **kw):
        t = tarfile.TarInfo(name)
        t.type, t.mtime, t.mode = kind, T, 0o755 if kind == D else 0o644
        for key, value in kw.items():
            setattr(t, key, value)
        for key, value in (xattrs or {}).items():
            t.pax_headers["SCHILY.xattr." + key] = value.decode("utf-8", "surrogateescape")
        if kind == F:
            t.size = len(data)
        self.tar.addfile(t, io.BytesIO(data) if kind == F and data else None)

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def build():
    a, b, c = Layer(), Layer(), Layer(tarfile.GNU_FORMAT)
    want = {}

    def is_(path, kind, what="", mode=None, owner="0:0", mtime=T, xattrs="", links=1):
        if mode is None:
            mode = {"d": 0o755, "l": 0o777}.get(kind, 0o644)
        want[path] = f"{kind} {mode:o} {owner} {what} {mtime:.9f} {links} {xattrs}".rstrip()

    def file_(path, data, **kw):
        is_(path, "f", f"{len(data)}:{sha(data)[:8]}", **kw)

    def dir_(path, **kw):
        is_(path, "d", links=0, **kw)

    # whiteouts: of a file, of a directory, of nothing, before and behind what the same layer brings
    a.add("wh", D), a.add("wh/file", data=b"1"), a.add("wh/dir", D), a.add("wh/dir/in", data=b"1"), a.add("wh/stays", data=b"1")
    a.add("wh/.wh.never")
    b.add("wh", D), b.add("wh/.wh.file"), b.add("wh/.wh.dir"), b.add("wh/.wh.nothing"), b.add("wh/new", data=b"2"), b.add("wh/.wh.new")
    dir_("wh"), file_("wh/stays", b"1"), file_("wh/new", b"2")
    # a directory goes and comes again: nothing of the old one shows, whatever the order
    for n in ("before", "behind", "file"):
        a.add(f"again-{n}", D, mode=0o711), a.add(f"again-{n}/old", data=b"1")
    b.add(".wh.again-before"), b.add("again-before", D), b.add("again-before/new", data=b"2")
    if not DUPLICATES:
        b.add(".wh.again-behind")
    b.add("again-behind", D), b.add("again-behind/new", data=b"2")
    if DUPLICATES:
        b.add(".wh.again-behind")
    if DUPLICATES:
        b.add("again-file", data=b"x")
    else:
        b.add(".wh.again-file")
    b.add("again-file", D), b.add("again-file/new", data=b"2")
    for n in ("before", "behind", "file"):
        dir_(f"again-{n}"), file_(f"again-{n}/new", b"2")
    # opaque: before and behind the new children, and with a whiteout beside it
    for n in ("first", "last"):
        a.add(f"opq-{n}", D), a.add(f"opq-{n}/old", data=b"1"), a.add(f"opq-{n}/sub", D), a.add(f"opq-{n}/sub/old", data=b"1")
        b.add(f"opq-{n}", D)
        if n == "first":
            b.add(f"opq-{n}/.wh..wh..opq")
        b.add(f"opq-{n}/new", data=b"2"), b.add(f"opq-{n}/sub", D), b.add(f"opq-{n}/sub/new", data=b"2"), b.add(f"opq-{n}/.wh.old")
        if n == "last":
            b.add(f"opq-{n}/.wh..wh..opq")
        dir_(f"opq-{n}"), file_(f"opq-{n}/new", b"2"), dir_(f"opq-{n}/sub"), file_(f"opq-{n}/sub/new", b"2")
    # old names of aufs are nothing
    b.add(".wh..wh.plnk"), b.add(".wh..wh.aufs")
    # types change
    a.add("t", D), a.add("t/file-dir", data=b"1"), a.add("t/dir-file", D), a.add("t/dir-file/in", data=b"1")
    a.add("t/dir-link", D), a.add("t/dir-link/in", data=b"1"), a.add("t/link-dir", L, linkname="dir-file"), a.add("t/link-file", L, linkname="dir-file/in")
    b.add("t", D), b.add("t/file-dir", D), b.add("t/dir-file", data=b"2"), b.add("t/dir-link", L, linkname="file-dir")
    b.add("t/link-dir", D, mode=0o700), b.add("t/link-file", data=b"2")
    dir_("t"), dir_("t/file-dir"), file_("t/dir-file", b"2"), is_("t/dir-link", "l", "file-dir"), dir_("t/link-dir", mode=0o700), file_("t/link-file", b"2")
    # metadata of a directory changes, its children stay
    a.add("meta", D, uid=1, gid=2), a.add("meta/in", data=b"1"), b.add("meta", D, mode=0o1777, uid=3, gid=4, mtime=T + 5)
    dir_("meta", mode=0o1777, owner="3:4", mtime=T + 5), file_("meta/in", b"1")
    # hard links: inside, to a symbolic link, to the layer below with what hangs on the file, chains
    a.add("hl", D), a.add("hl/a", data=b"hard"), a.add("hl/b", H, linkname="hl/a"), a.add("hl/l", L, linkname="a"), a.add("hl/l2", H, linkname="hl/l")
    dir_("hl"), file_("hl/a", b"hard", links=2), file_("hl/b", b"hard", links=2), is_("hl/l", "l", "a", links=2), is_("hl/l2", "l", "a", links=2)
    a.add("low", D), a.add("low/f", data=b"low", mode=0o755, uid=5, gid=6, xattrs={"user.a": b"=\x00=", "security.capability": CAPS})
    b.add("up", D), b.add("up/f", H, linkname="low/f"), b.add("up/f2", H, linkname="up/f")
    x = f"security.capability={CAPS.hex()},user.a=3d003d"
    dir_("low"), dir_("up")
    for p in ("low/f", "up/f", "up/f2"):
        file_(p, b"low", mode=0o755, owner="5:6", xattrs=x, links=3)
    # duplicates: the last one counts
    if DUPLICATES:
        a.add("dup", data=b"1"), a.add("dupdir", D, mode=0o700)
    a.add("dup", data=b"22", mode=0o600), a.add("dupdir", D, mode=0o750), a.add("dupdir/in")
    if DUPLICATES:
        a.add("dupdir", D, mode=0o700), a.add("dupdir", D, mode=0o750)
    file_("dup", b"22", mode=0o600), dir_("dupdir", mode=0o750), file_("dupdir/in", b"")
    # directories that nobody names, in the lowest layer and in one over a named one
    a.add("implicit/deep/file", data=b"i"), a.add("named", D, mode=0o2711, uid=7, gid=8, mtime=T - 7), a.add("named/old")
    b.add("named/new", data=b"2")
    dir_("implicit", mtime=0), dir_("implicit/deep", mtime=0), file_("implicit/deep/file", b"i")
    dir_("named", mode=0o2711, owner="7:8", mtime=T - 7), file_("named/old", b""), file_("named/new", b"2")
    # names
    long = "n/" + "d" * 90 + "/" + "f" * 200
    a.add("n", D), a.add("n/" + "d" * 90, D), a.add(long, data=b"long"), a.add("n/link", L, linkname="x" * 300), a.add("n/hard", H, linkname=long)
    dir_("n"), dir_("n/" + "d" * 90), file_(long, b"long", links=2), is_("n/link", "l", "x" * 300), file_("n/hard", b"long", links=2)
    glong = "g/" + "e" * 95 + "/" + "h" * 180
    c.add("g", D), c.add("g/" + "e" * 95, D), c.add(glong, data=b"gnu"), c.add("g/link", L, linkname="y" * 200)
    dir_("g"), dir_("g/" + "e" * 95), file_(glong, b"gnu"), is_("g/link", "l", "y" * 200)
    for n in ("n/\u00fcml\u00e4ut", "n/blank and\nnewline", "n/trailing ", "n/" + os.fsdecode(b"\xff\xfe raw"), "n/a=b:c,d\\e", "n/-dash", "n/\u4e2d" + "z" * 120):
        a.add(n, data=b"n"), file_(n, b"n")
    a.add("./dot//slashes/../slashes.txt", data=b"s"), file_("dot/slashes.txt", b"s"), a.add("/dot/absolute", data=b"s"), file_("dot/absolute", b"s")
    dir_("dot", mtime=0)
    # times
    a.add("time", D), a.add("time/frac", mtime=T + 0.5), a.add("time/old", mtime=-1), a.add("time/oldfrac", mtime=-1.5), a.add("time/far", mtime=2 ** 33 + 1)
    dir_("time"), file_("time/frac", b"", mtime=T + 0.5), file_("time/old", b"", mtime=-1), file_("time/oldfrac", b"", mtime=-1.5), file_("time/far", b"", mtime=2 ** 33 + 1)
    a.add("time/dir", D, mtime=T + 0.25), a.add("time/dir/child"), dir_("time/dir", mtime=T + 0.25), file_("time/dir/child", b"")
    # modes and owners
    a.add("m", D), a.add("m/suid", mode=0o4755, uid=1, gid=1), a.add("m/sgid", mode=0o2711, uid=1, gid=50), a.add("m/none", mode=0), a.add("m/sticky", mode=0o1644)
    a.add("m/ro", D, mode=0o555), a.add("m/ro/in", data=b"r"), a.add("m/sgiddir", D, mode=0o2775, gid=50), a.add("m/sgiddir/in"), a.add("m/nobody", uid=65534, gid=65534)
    dir_("m"), file_("m/suid", b"", mode=0o4755, owner="1:1"), file_("m/sgid", b"", mode=0o2711, owner="1:50"), file_("m/none", b"", mode=0), file_("m/sticky", b"", mode=0o1644)
    dir_("m/ro", mode=0o555), file_("m/ro/in", b"r"), dir_("m/sgiddir", mode=0o2775, owner="0:50"), file_("m/sgiddir/in", b""), file_("m/nobody", b"", owner="65534:65534")
    # what is no file
    a.add("dev", D), a.add("dev/fifo", tarfile.FIFOTYPE, mode=0o620), dir_("dev"), is_("dev/fifo", "p", mode=0o620)
    if DEVICES:
        a.add("dev/null", tarfile.CHRTYPE, mode=0o666, devmajor=1, devminor=3), is_("dev/null", "c", "1:3", mode=0o666)
        a.add("dev/disk", tarfile.BLKTYPE, mode=0o660, gid=6, devmajor=8, devminor=257), is_("dev/disk", "b", "8:257", mode=0o660, owner="0:6")
    # attributes; overlay's own must not work on the way in, and be there for an overlay inside
    a.add("x", D), a.add("x/user", xattrs={"user.one": b"1", "user.bin": bytes(range(1, 128)) + b"\x00\xc3\xbc"}), a.add("x/cap", mode=0o755, xattrs={"security.capability": CAPS})
    dir_("x"), file_("x/user", b"", xattrs=f"user.bin={(bytes(range(1, 128)) + bytes([0, 0xc3, 0xbc])).hex()},user.one=31")
    file_("x/cap", b"", mode=0o755, xattrs=f"security.capability={CAPS.hex()}")
    a.add("ovl", D), a.add("ovl/below", data=b"1"), b.add("ovl", D, xattrs={"trusted.overlay.opaque": b"y"}), b.add("ovl/new")
    dir_("ovl"), file_("ovl/below", b"1"), file_("ovl/new", b"")
    b.add("selinux", xattrs={"security.selinux": b"system_u:object_r:etc_t:s0\x00"}), file_("selinux", b"")
    # a header with numbers that octal does not hold, and one for all that follows
    if DEVICES:
        c.add("big", uid=3000000, gid=4000000), file_("big", b"", owner="3000000:4000000")
    return [a.bytes(), b.bytes(), c.bytes()], want


def write_docker(path, layers, name):
    doc = {"architecture": "amd64", "os": "linux", "created": "2020-01-01T00:00:00Z", "config": {"Cmd": ["/x"]},
           "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha(l) for l in layers]},
           "history": [{"created": "2020-01-01T00:00:00Z", "created_by": str(i)} for i in range(len(layers))]}
    text = json.dumps(doc).encode()
    manifest = json.dumps([{"Config": sha(text) + ".json", "RepoTags": [name], "Layers": [f"{i}.tar" for i in range(len(layers))]}]).encode()
    with tarfile.open(path, "w") as tar:
        for n, data in [(f"{i}.tar", l) for i, l in enumerate(layers)] + [(sha(text) + ".json", text), ("manifest.json", manifest)]:
            t = tarfile.TarInfo(n)
            t.size = len(data)
            tar.addfile(t, io.BytesIO(data))


def describe(path):
    st = os.lstat(path)
    mode = stat.S_IMODE(st.st_mode)
    kind = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFIFO: "p", stat.S_IFCHR: "c", stat.S_IFBLK: "b"}[stat.S_IFMT(st.st_mode)]
    what = ""
    if kind == "f":
        data = open(path, "rb").read()
        what = f"{len(data)}:{sha(data)[:8]}"
    elif kind == "l":
        what = os.readlink(path)
    elif kind in "cb":
        what = f"{os.major(st.st_rdev)}:{os.minor(st.st_rdev)}"
    names = sorted(os.listxattr(path, follow_symlinks=False))
    xattrs = ",".join(f"{n}={os.getxattr(path, n, follow_symlinks=False).hex()}" for n in names if not n.startswith(("trusted.", "user.overlay.", "security.selinux")))
    s, ns = divmod(st.st_mtime_ns, 10 ** 9)
    mtime = f"{st.st_mtime_ns / 1e9:.9f}" if ns else f"{s}.000000000"
    links = 0 if kind == "d" else st.st_nlink
    return f"{kind} {mode:o} {st.st_uid}:{st.st_gid} {what} {mtime} {links} {xattrs}".rstrip()


def listing(root):
    out = {}
    for folder, dirs, files in os.walk(root):
        for n in dirs + files:
            path = os.path.join(folder, n)
            out[os.path.relpath(path, root)] = describe(path)
    return out


def show(tree):
    for path in sorted(tree):
        print(ascii(path), ascii(tree[path]))


def main():
    what, *args = sys.argv[1:]
    if what == "image":
        layers, want = build()
        write_docker(args[0], layers, "cases:1")
        show(want)
    elif what == "list":
        show(listing(args[0]))
    else:
        write_docker(args[0], [open(p, "rb").read() for p in args[1:]], "tars:1")


main()
