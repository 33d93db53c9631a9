"""What is done to the state file and to what lies beside it: removed, replaced, linked, started on
a second time. Whatever was acknowledged is counted afterwards.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import threading

from harness import free_port
from reflexes import Reflex, eventually, expect, submit, works

BUSY = 5  # exit code: somebody else has the file


class Load:
    """Submits all the while, from three threads; knows what was acknowledged."""

    def __init__(self, server):
        self.server = server
        self.acknowledged = []
        self.refused = 0
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True)
                         for i in range(3)]

    def _run(self, number):
        count = 0
        while not self._over.is_set():
            count += 1
            gid = f"load-{number}-{count}"
            try:
                taken = submit(self.server, gid, wait=False).status == 200
            except OSError:
                taken = False
            if taken:
                self.acknowledged.append(gid)
            else:
                self.refused += 1
                self._over.wait(0.02)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        self.grows("it takes what is handed in")
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def grows(self, what):
        wanted = len(self.acknowledged) + 20
        eventually(lambda: len(self.acknowledged) >= wanted, what)


def all_there(server, gids):
    lost = [gid for gid in gids if server.status(gid) is None]
    expect(not lost, f"{len(lost)} of {len(gids)} acknowledged are lost: {lost[:3]}")


def second(server, db=None):
    """A second `belay serve` on that file: its exit code and its words."""
    command = [server.program, "serve", "--db", db or server.db,
               "--listen", f"127.0.0.1:{free_port()}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120,
                           stdin=subprocess.DEVNULL)
    return ended.returncode, ended.stderr


def says(server, word):
    with open(server.log, errors="replace") as log:
        return word in log.read()


def refuses(server, word):
    eventually(lambda: server.get("/healthz").status == 503, "it says that it is not healthy")
    reply = submit(server, "refused", wait=False)
    expect(reply.status != 200, f"a submit is refused, not answered {reply.status}")
    expect("belay_storage_ok 0" in server.get("/metrics").text, "the metrics say so")
    eventually(lambda: says(server, word), f"the log says: {word}")


def lock_removed(server):
    os.remove(server.db + "-lock")
    for _ in range(2):
        code, words = second(server)
        expect(code == BUSY and "is held by" in words, f"a second one is refused: {code} {words}")
    works(server, "after")


def lock_is_link(server):
    server.stop()
    os.remove(server.db + "-lock")
    os.symlink("elsewhere", server.db + "-lock")
    code, words = second(server)
    expect(code == 1 and "symbolic link: remove it" in words, f"it is refused: {code} {words}")
    os.remove(server.db + "-lock")
    server.start()
    works(server, "after")


def hard_link(server):
    other = os.path.join(server.folder, "other.db")
    os.link(server.db, other)
    code, words = second(server, other)
    expect(code == 1 and "hard links" in words, f"a second one is refused: {code} {words}")
    works(server, "after")
    server.kill()
    os.remove(other)
    server.start()
    expect(server.status("after") == "succeed", "what was acknowledged is there")


def renamed_and_started(server):
    other = os.path.join(server.folder, "other.db")
    with Load(server) as load:
        os.rename(server.db, other)
        code, words = second(server, other)
        expect(code == BUSY and "is held by" in words, f"a second one is refused: {code} {words}")
        refuses(server, "was removed or replaced under the engine")
        os.rename(other, server.db)
        eventually(server.healthy, "the file is back, and it is healthy")
        load.grows("it takes again what is handed in")
    server.kill()
    server.start()
    all_there(server, load.acknowledged)


def copied_and_started(server):
    works(server, "before")
    copy = os.path.join(server.folder, "copy.db")
    with Load(server) as load:
        backup = sqlite3.connect(copy)
        live = sqlite3.connect(server.db)
        live.backup(backup)
        live.close()
        backup.close()
        ended = subprocess.run([server.program, "check", "--db", copy], capture_output=True,
                               text=True, timeout=120)
        expect(ended.returncode == 0, f"the copy is sound: {ended.stdout}{ended.stderr}")
        load.grows("the first goes on")
    server.kill()
    server.start()
    all_there(server, load.acknowledged + ["before"])


def file_removed(server):
    works(server, "before")
    os.remove(server.db)
    refuses(server, "was removed or replaced under the engine")
    expect(not os.path.exists(server.db), "nothing is put in its place")


def file_replaced(server):
    old = os.path.join(server.folder, "old.db")
    with Load(server) as load:
        aside = os.path.join(server.folder, "aside.db")
        sqlite3.connect(old).execute("CREATE TABLE theirs(x)").connection.close()
        os.rename(server.db, aside)
        os.rename(old, server.db)
        refuses(server, "was removed or replaced under the engine")
        os.rename(server.db, old)
        os.rename(aside, server.db)
        eventually(server.healthy, "the right file is back, and it is healthy")
        load.grows("it takes again what is handed in")
    server.kill()
    server.start()
    all_there(server, load.acknowledged)
    tables = sqlite3.connect(old).execute("SELECT name FROM sqlite_schema").fetchall()
    expect(tables == [("theirs",)], f"the other file was left alone: {tables}")


def beside_removed(which):
    def run(server):
        with Load(server) as load:
            os.remove(server.db + which)
            eventually(lambda: f"{which} was removed or replaced under the engine" in
                       server.log_tail(1000), "the log says so")
            if which == "-wal":
                load.grows("it goes on with a new one")
                all_there(server, load.acknowledged[-100:])
        server.kill()
        server.start()
        all_there(server, load.acknowledged)
        works(server, "after")
    return run


def wal_removed_while_idle(server):
    for i in range(20):
        expect(submit(server, f"before-{i}").status == 200, "a submit is taken")
    os.remove(server.db + "-wal")
    eventually(lambda: os.path.exists(server.db + "-wal"), "it is noticed without a submit")
    server.kill()
    server.start()
    all_there(server, [f"before-{i}" for i in range(20)])


def others_come_and_go(server):
    """Each a process of its own, as `sqlite3` is: the last one to close removes the log."""
    script = ("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]);"
              "c.execute('SELECT count(*) FROM transactions').fetchall(); c.close()")
    with Load(server) as load:
        inode = os.stat(server.db + "-wal").st_ino
        for _ in range(5):
            shutil.copyfile(server.db, os.path.join(server.folder, "copy"))
            subprocess.run([sys.executable, "-c", script, server.db], check=True, timeout=120)
        load.grows("it goes on")
        expect(os.stat(server.db + "-wal").st_ino == inode, "the write-ahead log is the same")
    server.kill()
    server.start()
    all_there(server, load.acknowledged)


ROWS = [
    Reflex("the lock file is removed and a second one started: it is refused", lock_removed),
    Reflex("the lock file is a symbolic link: it is refused", lock_is_link),
    Reflex("a hard link, and a second one started on it: it is refused", hard_link),
    Reflex("the file is renamed and a second one started on it: it is refused, and nothing is lost",
           renamed_and_started),
    Reflex("the file is backed up while it lives: both are sound", copied_and_started),
    Reflex("rm state.db: it refuses and says why", file_removed),
    Reflex("another file in its place: it refuses until the right one is back", file_replaced),
    Reflex("rm state.db-wal: nothing that was acknowledged is lost", beside_removed("-wal")),
    Reflex("rm state.db-shm: nothing that was acknowledged is lost", beside_removed("-shm")),
    Reflex("rm state.db-wal while it is idle: it is noticed and saved", wal_removed_while_idle),
    Reflex("others read the file and close it: the write-ahead log stays", others_come_and_go),
]
