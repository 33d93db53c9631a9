"""What is done to the process: signals, its standard streams, its disk's room."""

import os
import signal
import subprocess

from reflexes import Reflex, eventually, expect, submit, works

FULL_DISK_BYTES = 4 * 1024 * 1024


def kill_nine(server):
    for i in range(20):
        expect(submit(server, f"before-{i}").status == 200, "a submit is taken")
    server.kill()
    server.start()
    for i in range(20):
        expect(server.status(f"before-{i}") == "succeed", f"before-{i} is there after a kill -9")
    works(server, "after")


def terminate_twice(server):
    works(server, "before")
    server.process.terminate()
    server.process.send_signal(signal.SIGTERM)
    expect(server.process.wait(60) == 0, "the exit code is 0")


def stop_and_continue(server):
    server.process.send_signal(signal.SIGSTOP)
    server.process.send_signal(signal.SIGCONT)
    eventually(server.healthy, "it is healthy again")
    works(server, "after")


def any_other_signal(server):
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        server.process.send_signal(number)
        works(server, f"after-{number}")
    expect(server.stop(60) == 0, "the exit code is 0")


def log_rotated_away(server):
    os.rename(server.log, server.log + ".1")
    server.process.send_signal(signal.SIGHUP)
    works(server, "after")


def tokens_path(server):
    return os.path.join(server.folder, "tokens")


def write_tokens(server, text):
    with open(tokens_path(server), "w") as file:
        file.write(text)


def with_tokens(server):
    write_tokens(server, "first\n")
    return ("--token-file", tokens_path(server))


def metrics(server, token):
    return server.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"}).status


def new_token(server):
    write_tokens(server, "second\n")
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: metrics(server, "second") == 200, "the new token opens")
    expect(metrics(server, "first") == 401, "the old one does not")
    os.remove(tokens_path(server))
    server.process.send_signal(signal.SIGHUP)
    eventually(lambda: "stay as they were" in server.log_tail(), "a missing file is told")
    expect(metrics(server, "second") == 200, "and changes nothing")


def no_room_to_mount():
    probe = subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
                           capture_output=True, check=False)
    return "" if probe.returncode == 0 else "only root can mount a small disk"


def on_a_small_disk(server):
    """A disk of the server's own, gone with the row's last process."""
    server.kill()
    disk = os.path.join(server.folder, "disk")
    os.mkdir(disk)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={FULL_DISK_BYTES}", "none", disk]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    expect(mounted.returncode == 0, f"a small disk is mounted: {mounted.stderr}")
    server.db = os.path.join(disk, "state.db")
    server.at_end(lambda: subprocess.run(["umount", "--lazy", disk], check=False))
    return ()


def full_disk(server):
    works(server, "before")
    filler = os.path.join(os.path.dirname(server.db), "filler")
    with open(filler, "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    refused = 0
    for i in range(2_000):  # what room the file's own pages have left
        reply = submit(server, f"full-{i}", wait=False)
        expect(reply.status in (200, 503), f"a submit is answered {reply.status} {reply.text}")
        if reply.status != 503:
            continue
        expect(reply.headers.get("retry-after"), "with Retry-After")
        refused += 1
        if refused == 3:
            break
    expect(refused == 3, "a full disk refuses")
    expect(server.get("/healthz").status == 503, "/healthz is 503")
    expect("belay_storage_ok 0" in server.get("/metrics").text, "belay_storage_ok is 0")
    os.remove(filler)
    eventually(server.healthy, "it goes on by itself when there is room")
    works(server, "after")
    eventually(lambda: server.status("full-0") == "succeed", "what it kept is carried out")


ROWS = [
    Reflex("kill -9, and a new start: what was acknowledged is there", kill_nine),
    Reflex("SIGTERM twice: it ends with 0", terminate_twice),
    Reflex("SIGSTOP and SIGCONT: it goes on", stop_and_continue),
    Reflex("SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE: it goes on", any_other_signal),
    Reflex("its log is moved away and SIGHUP sent, as logrotate does: it goes on",
           log_rotated_away),
    Reflex("the tokens are changed and SIGHUP sent: the new ones hold", new_token,
           before=with_tokens),
    Reflex("the disk is filled and emptied: 503, then it goes on", full_disk,
           unless=no_room_to_mount, before=on_a_small_disk),
]
