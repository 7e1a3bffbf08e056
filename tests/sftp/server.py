"""SFTP servers by AsyncSSH for the tests: its own, and one below it that speaks SFTP 3 by itself and misbehaves on purpose.

server.py HOST_KEY AUTHORIZED_KEYS ROOT MODE ...; it prints its port and serves until it is killed. `plain` is AsyncSSH's own
server; every other word is a quirk or a sin of the one here, several may be given. Sins end once a file ROOT/../behave exists; one
that makes a client wait has made the file ROOT/../sinned.
"""
import asyncio
import os
import struct
import sys

import asyncssh

OK, EOF, NO_SUCH_FILE, DENIED, FAILURE = range(5)
SIZE, UIDGID, PERM, TIMES = 1, 2, 4, 8


class Session(asyncssh.SSHServerSession):
    """A channel whose SFTP is ours."""

    def __init__(self, root, modes):
        self.root, self.modes = root, modes
        self.reader = asyncio.StreamReader()

    def connection_made(self, chan):
        self.chan = chan

    def subsystem_requested(self, subsystem):
        return subsystem == "sftp"

    def session_started(self):
        self.task = asyncio.ensure_future(Wire(self.chan, self.reader, self.root, self.modes).serve())

    def data_received(self, data, datatype):
        self.reader.feed_data(data)

    def eof_received(self):
        self.reader.feed_eof()

    def connection_lost(self, exc):
        self.task.cancel()


class Wire:
    """Packets of SFTP 3 over a channel."""

    def __init__(self, chan, reader, root, modes):
        self.out, self.into = chan, reader
        self.root, self.modes = root, modes
        self.handles, self.next, self.sent = {}, 0, 0

    def sins(self, word):
        return word in self.modes and not os.path.exists(os.path.join(self.root, "..", "behave"))

    async def stall(self):
        open(os.path.join(self.root, "..", "sinned"), "w").close()
        await asyncio.sleep(3600)

    async def exactly(self, count):
        return await self.into.readexactly(count)

    def send(self, kind, body):
        packet = struct.pack(">IB", len(body) + 1, kind) + body
        if "pieces" in self.modes:
            for at in range(len(packet)):
                self.out.write(packet[at : at + 1])
        else:
            self.out.write(packet)

    def status(self, ident, code):
        word = [b"ok", b"end of file", b"no such file", b"permission denied", b"failure"][code]
        self.send(101, struct.pack(">III", ident, code, len(word)) + word + struct.pack(">I", 0))

    def attrs(self, found, lie=0):
        flags = SIZE | (0 if "no-perm" in self.modes else PERM) | (0 if "no-mtime" in self.modes else TIMES)
        body = struct.pack(">IQ", flags, found.st_size + lie)
        if flags & PERM:
            body += struct.pack(">I", found.st_mode)
        if flags & TIMES:
            body += struct.pack(">II", int(found.st_atime), int(found.st_mtime))
        return body

    def lie(self):
        return 1000 if self.sins("says-more") else -1000 if self.sins("says-less") else 0

    async def serve(self):
        late = []
        while True:
            try:
                if "reversed" in self.modes and late:
                    try:
                        head = await asyncio.wait_for(self.exactly(4), 0.02)
                    except asyncio.TimeoutError:
                        for kind, ident, body in reversed(late):
                            await self.answer(kind, ident, body)
                        late.clear()
                        head = await self.exactly(4)
                else:
                    head = await self.exactly(4)
                packet = await self.exactly(struct.unpack(">I", head)[0])
            except asyncio.IncompleteReadError:
                return self.out.exit(0)
            kind, body = packet[0], packet[1:]
            if kind == 1:
                self.send(2, struct.pack(">I", 3))
                continue
            ident, body = struct.unpack(">I", body[:4])[0], body[4:]
            if kind == 5 and "reversed" in self.modes:
                late.append((kind, ident, body))
                continue
            await self.answer(kind, ident, body)

    async def answer(self, kind, ident, body):
        try:
            await self.act(kind, ident, body)
        except FileNotFoundError:
            self.status(ident, NO_SUCH_FILE)
        except PermissionError:
            self.status(ident, DENIED)
        except OSError:
            self.status(ident, FAILURE)

    def text(self, body):
        count = struct.unpack(">I", body[:4])[0]
        return body[4 : 4 + count], body[4 + count :]

    def handle(self, ident, thing):
        self.next += 1
        name = str(self.next).encode()
        self.handles[name] = thing
        self.send(102, struct.pack(">II", ident, len(name)) + name)

    async def act(self, kind, ident, body):
        first, rest = self.text(body)
        if kind == 3:  # open
            if self.sins("denies"):
                raise PermissionError
            self.handle(ident, open(first, "rb"))
        elif kind == 4:  # close
            self.handles.pop(first, None)
            self.status(ident, OK)
        elif kind == 5:
            await self.read(ident, self.handles[first], *struct.unpack(">QI", rest[:12]))
        elif kind == 7:  # lstat
            self.send(105, struct.pack(">I", ident) + self.attrs(os.lstat(first), self.lie()))
        elif kind == 17:  # stat
            self.send(105, struct.pack(">I", ident) + self.attrs(os.stat(first)))
        elif kind == 8:  # fstat
            found = os.fstat(self.handles[first].fileno())
            self.send(105, struct.pack(">I", ident) + self.attrs(found, self.lie()))
        elif kind == 11:  # opendir
            self.handle(ident, self.names(first))
        elif kind == 12:  # readdir
            if self.sins("stalls-list"):
                await self.stall()
            self.listed(ident, self.handles[first])
        elif kind == 13:  # remove
            if self.sins("stalls-remove"):
                await self.stall()
            os.remove(first)
            if self.sins("removes-silently"):
                await self.stall()
            self.status(ident, OK)
        elif kind == 14:  # mkdir
            os.mkdir(first)
            self.status(ident, OK)
        elif kind == 18:  # rename, never over another
            if self.sins("stalls-rename"):
                await self.stall()
            second = self.text(rest)[0]
            if self.sins("refuses-rename") or os.path.lexists(second):
                return self.status(ident, FAILURE)
            os.rename(first, second)
            if self.sins("renames-silently"):
                await self.stall()
            self.status(ident, OK)
        elif kind == 16:  # realpath
            name = os.path.realpath(first)
            self.send(104, struct.pack(">III", ident, 1, len(name)) + name + struct.pack(">II", 0, 0))
        elif kind == 19:  # readlink
            name = os.readlink(first)
            self.send(104, struct.pack(">III", ident, 1, len(name)) + name + struct.pack(">II", 0, 0))
        else:
            self.status(ident, FAILURE)

    def names(self, folder):
        found = [(name, os.lstat(os.path.join(folder, name))) for name in sorted(os.listdir(folder))]
        if "no-dots" not in self.modes:
            found[:0] = [(b".", os.lstat(folder)), (b"..", os.lstat(folder))]
        if "hostile-names" in self.modes:
            some = os.lstat(os.path.join(folder, b"sales.csv"))
            hostile = [b"../sales.csv", b"/etc/passwd.csv", b"a\0b.csv", b"a\nb.csv", b"x" * 300 + b".csv"]
            found += [(name, some) for name in hostile + [b"..", b"\xff\xfe.csv", b"a/../../sales.csv", b""]]
        return iter(found)

    def listed(self, ident, names):
        if self.sins("endless-list"):
            one = b"never.txt"
            body = struct.pack(">I", len(one)) + one + struct.pack(">II", 0, 0)
            return self.send(104, struct.pack(">II", ident, 1) + body)
        most = 1 if "one-name" in self.modes else 50
        batch = [pair for _, pair in zip(range(most), names)]
        if not batch:
            return self.status(ident, EOF)
        body = struct.pack(">II", ident, len(batch))
        for name, found in batch:
            long = b"-rw-r--r-- 1 root root %d Jan  1 00:00 %s" % (found.st_size, name)
            body += struct.pack(">I", len(name)) + name + struct.pack(">I", len(long)) + long
            body += struct.pack(">I", 0) if "bare-names" in self.modes else self.attrs(found, self.lie())
        self.send(104, body)

    async def read(self, ident, file, offset, count):
        # what comes to pass after the first hundred thousand bytes
        if offset >= 100_000:
            if self.sins("stalls"):
                return await self.stall()
            if self.sins("closes"):
                return self.out.get_connection().abort()
            if self.sins("ends-early"):
                return self.status(ident, EOF)
            if self.sins("fails"):
                return self.status(ident, FAILURE)
            if self.sins("raves"):
                return self.out.write(b"\xff\xff\xff\xffnonsense")
            if self.sins("answers-another"):
                ident += 1_000_000
            if self.sins("touches"):
                os.utime(file.fileno(), (0, 1_000_000_000 + offset))
            if self.sins("cuts") and os.fstat(file.fileno()).st_size > 50_000:
                os.truncate(file.name, 50_000)
            if self.sins("grows"):
                with open(file.name, "ab") as more:
                    more.write(b"more\n")
            if self.sins("replaces") and os.stat(file.name).st_ino == os.fstat(file.fileno()).st_ino:
                beside = file.name + b".tmp"
                with open(beside, "wb") as other:
                    other.write(b"y" * os.fstat(file.fileno()).st_size)
                os.utime(beside, (0, 1_000_000_000))
                os.rename(beside, file.name)
        if self.sins("dribbles"):
            await asyncio.sleep(0.05)
            count = 1
        if "one-byte" in self.modes:
            count = 1
        for mode in self.modes:
            if mode.startswith("most-"):
                count = min(count, int(mode[5:]))
        data = os.pread(file.fileno(), min(count, 32_768), offset)
        if not data:
            return self.status(ident, EOF)
        self.send(103, struct.pack(">II", ident, len(data)) + data)


async def main():
    host_key, authorized, root, *modes = sys.argv[1:]
    settings = {"server_host_keys": [host_key], "authorized_client_keys": authorized, "encoding": None}

    class Server(asyncssh.SSHServer):
        async def begin_auth(self, username):
            if "stalls-login" in modes and not os.path.exists(os.path.join(root, "..", "behave")):
                await asyncio.sleep(3600)
            return True

        def session_requested(self):
            return False if modes == ["plain"] else Session(root, set(modes))

    if modes == ["plain"]:
        settings["sftp_factory"] = True
    server = await asyncssh.create_server(Server, "127.0.0.1", 0, **settings)
    print(f"listening on {server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
