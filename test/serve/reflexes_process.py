"""What is done to the process: signals, and its standard streams."""

import signal

from reflexes import Reflex, eventually, expect, submit, works


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


ROWS = [
    Reflex("kill -9, and a new start: what was acknowledged is there", kill_nine),
    Reflex("SIGTERM twice: it ends with 0", terminate_twice),
    Reflex("SIGSTOP and SIGCONT: it goes on", stop_and_continue),
]
