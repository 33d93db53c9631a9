"""What is done to the state while no server runs: removed, emptied, overwritten, damaged; and a
start on a disk without room. Nothing of it may look like a first start, or be waited for in vain.
"""

import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess

from harness import die_with_parent, free_port, until
from reflexes import Reflex, expect, submit, works


def environment(server, **more):
    clean = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    return clean | server.env | more


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def told(server):
    return read(server.log).decode(errors="replace")


def belay(server, *arguments):
    done = subprocess.run([server.program, *arguments], env=environment(server), timeout=300,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def refuses(server, code, *words, flags=()):
    """It does not start: one line says why."""
    got, said = belay(server, *server.command()[1:], *flags)
    expect(got == code, f"the exit code is {got}, not {code}: {said}")
    lines = [line for line in said.splitlines() if line.startswith("belay: ")]
    expect(len(lines) == 1, f"there is one line of error: {said}")
    for word in words:
        expect(word in lines[0], f"{word!r} is not said: {said}")
    expect("newer belay" not in said, f"a newer belay is asked for: {said}")


def killed_with_work(server):
    for i in range(20):
        works(server, f"before-{i}")
    server.kill()
    expect(os.path.getsize(server.db + "-wal") > 32, "there is a write-ahead log")


def all_there(server):
    for i in range(20):
        expect(server.status(f"before-{i}") == "succeed", f"before-{i} is there")


def file_removed(server):
    killed_with_work(server)
    wal = read(server.db + "-wal")
    os.rename(server.db, server.db + ".away")
    refuses(server, 6, f"{server.db} is gone or empty", f"{server.db}-wal")
    expect(belay(server, "check", "--db", server.db)[0] == 6, "belay check says so, too")
    expect(read(server.db + "-wal") == wal, "the log is as it was")
    expect(not os.path.exists(server.db), "no new file is made")
    os.rename(server.db + ".away", server.db)
    server.start()
    all_there(server)


def file_emptied(server):
    killed_with_work(server)
    kept, wal = read(server.db), read(server.db + "-wal")
    write(server.db, b"")
    refuses(server, 6, f"{server.db} is gone or empty")
    expect(belay(server, "list", "--db", server.db)[0] == 6, "belay list says so, too")
    expect(read(server.db + "-wal") == wal, "the log is as it was")
    write(server.db, kept)
    server.start()
    all_there(server)


def log_overwritten(server):
    killed_with_work(server)
    wal = read(server.db + "-wal")
    write(server.db + "-wal", b"\0" * 4096 + wal[4096:])
    refuses(server, 6, f"{server.db}-wal is damaged")
    expect(belay(server, "check", "--db", server.db)[0] == 6, "belay check says so, too")
    write(server.db + "-wal", wal)
    server.start()
    all_there(server)


def everything_removed(server):
    expect(f"new state file {server.db}" in told(server), "a first start says so")
    works(server, "before")
    server.stop()
    write(server.log, b"")
    server.start()
    expect(f"opened {server.db}: 0 unfinished, 1 kept, schema " in told(server),
           "a second start says what is there")
    server.stop()
    for name in os.listdir(server.folder):
        if name.startswith("state.db"):
            os.remove(os.path.join(server.folder, name))
    refuses(server, 3, server.db, flags=["--must-exist"])
    expect(not [n for n in os.listdir(server.folder) if n.startswith("state.db")],
           "nothing is made")
    write(server.log, b"")
    server.start()
    expect(f"new state file {server.db}" in told(server), "the loss can be read in the log")


def flip(path, inside, at=0):
    """One bit, at this place of these bytes of the file (and of old copies in unused space)."""
    damaged = bytearray(inside)
    damaged[at] ^= 4
    whole = read(path)
    expect(inside in whole, "the bytes stand in the file")
    write(path, whole.replace(inside, bytes(damaged)))


def value(server, sql):
    database = sqlite3.connect(server.db)
    try:
        return database.execute(sql).fetchone()[0]
    finally:
        database.close()


def log_row_flipped(server):
    works(server, "before")
    server.stop()
    row = value(server, "SELECT records FROM log ORDER BY lsn DESC LIMIT 1")
    whole = read(server.db)
    for at in range(len(row)):
        write(server.db, whole)
        flip(server.db, row, at)
        if at in (0, 1, len(row) - 1):
            refuses(server, 6, "is damaged", "Log row ")
            refuses(server, 6, "log row ", flags=["--no-check"])
        if at % 8 == 0:
            code, said = belay(server, "check", "--db", server.db)
            expect(code == 6 and "newer belay" not in said, f"byte {at}: {code} {said}")


def snapshot_flipped(server):
    expect(submit(server, "open", wait=False,
                  action=f"http://127.0.0.1:{free_port()}/").status == 200, "it is taken")
    server.stop()
    state = value(server, "SELECT state FROM transaction_rows WHERE gid = 'open'")
    whole = read(server.db)
    for at in (0, 1, 7, len(state) // 2, len(state) - 1):
        write(server.db, whole)
        flip(server.db, state, at)
        refuses(server, 6, "is damaged", "a snapshot ")
        refuses(server, 6, "a snapshot ", flags=["--no-check"])


def history_flipped(server):
    works(server, "before")
    server.stop()
    kept = read(server.db)
    timeline = value(server, "SELECT timeline FROM transaction_rows").encode()
    flip(server.db, timeline)
    refuses(server, 6, "is damaged", "Transaction before: a JSON column is not valid JSON")
    server.flags = ("--no-check",)
    server.start()
    works(server, "after")
    server.stop()
    server.flags = ()
    shutil.copy(server.db, server.db + ".damaged")
    write(server.db, kept)
    server.start()
    works(server, "again")


class NoRoom:
    """A server that may not write more than this into a file, until it may."""

    def __init__(self, server, limit):
        self.path = os.path.join(server.folder, "notify")
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.path)
        self.manager.settimeout(120)

        def before_exec():
            die_with_parent()
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))

        # The log goes into a pipe: it is no file that could be too large.
        self.process = server.process = subprocess.Popen(
            server.command(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=environment(server, NOTIFY_SOCKET=self.path), preexec_fn=before_exec)

    def next(self):
        return self.manager.recv(4096).decode()

    def mend(self):
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE,
                         (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def end(self):
        self.process.terminate()
        said = self.process.communicate(timeout=120)[1]
        self.manager.close()
        os.remove(self.path)
        return self.process.returncode, said


def disk_full(server):
    killed_with_work(server)
    for limit in (16_384, os.path.getsize(server.db + "-wal") + 100):
        full = NoRoom(server, limit)
        expect(full.next().startswith("STATUS=waiting for room on the disk"), "it waits")
        code, said = full.end()
        expect(code == 0, f"SIGTERM ends it while it waits: {code} {said}")
        expect(said.count("waiting for room") == 1, f"it says so once: {said}")
        expect("listening" not in said, f"it does not listen: {said}")
    full = NoRoom(server, 16_384)
    expect(full.next().startswith("STATUS=waiting for room on the disk"), "it waits")
    full.mend()
    expect(full.next().startswith("READY=1"), "it goes on when there is room")
    expect(until(server.healthy, 60), "it is healthy")
    all_there(server)
    works(server, "after")
    code, said = full.end()
    expect(code == 0 and f"opened {server.db}" in said, f"it went on: {code} {said}")


ROWS = [
    Reflex("state.db is removed, its -wal stays: refused, and nothing is thrown away",
           file_removed),
    Reflex("state.db is emptied, its -wal stays: refused, and nothing is thrown away",
           file_emptied),
    Reflex("the -wal is overwritten: refused as damaged, and not thrown away", log_overwritten),
    Reflex("all is removed: the log says new state file, and --must-exist refuses",
           everything_removed),
    Reflex("a bit of a log row flips: damaged, with or without the check", log_row_flipped),
    Reflex("a bit of a snapshot flips: damaged, with or without the check", snapshot_flipped),
    Reflex("a bit of the history flips: what belay check calls corrupt is not served",
           history_flipped),
    Reflex("a start on a full disk: it waits, SIGTERM ends it, room lets it go on", disk_full),
]
