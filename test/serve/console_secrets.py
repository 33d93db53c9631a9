"""What the console does with secrets, of which it is shown no more than that there is one."""

from selenium.webdriver.common.keys import Keys

from console_stage import API
from console_verbs import ask, send
from harness import until

HOLDS = "which stands for a secret that is not shown"


def value(browser, name):
    return browser.one(f"dialog [name={name}]").get_property("value")


def refused(browser, name, text, words):
    """Whether a value of the dialog is refused in these words; afterwards it is as before."""
    before = value(browser, name)
    browser.fill(name, text)
    send(browser)
    told = browser.says(words, "dialog [role=alert]")
    browser.fill(name, before)
    return told and browser.opened()


def in_an_edit(stage, browser, check):
    target = stage.peer.url("/broken")
    stage.submit("secret-1", "/broken?token=hidden-1&a=1",
                 payloads=['{"to":"http://me:hidden-2@127.0.0.1/"}'],
                 branch_headers={"Authorization": "hidden-3", "X-Old": "1"})
    check(until(lambda: stage.waits("secret-1") == [("01", "action", 1)]), "a call waits")
    browser.open("#/transaction/secret-1")
    browser.click("Edit…")
    browser.fill("reason", "a typo")
    browser.fill("check", "et-1")
    shown = value(browser, "target")
    check(shown == f"{target}?token=***&a=1", f"a target's secret is not shown: {shown}")
    check(refused(browser, "target", shown + "2", f"The target has ***, {HOLDS}"),
          "a target that was changed beside it is refused")
    check(refused(browser, "headers", "Authorization: ***4\nX-Old: 1",
                  f"The header Authorization has ***, {HOLDS}"), "so is a header")
    check(refused(browser, "headers", "authorization: ***\nX-Old: 1\nX-New: ***",
                  f"The header X-New has ***, {HOLDS}"), "and a new one")
    shown = value(browser, "payload")
    check(shown == '{"to":"http://***@127.0.0.1/"}', f"a payload's secret is not shown: {shown}")
    check(refused(browser, "payload", shown + " ", f"The payload has ***, {HOLDS}. "
                  "belay edit --payload FILE takes the whole one."), "a change is refused")
    browser.fill("headers", "Authorization: ***\nX-Old: 2")
    before = len(stage.peer.calls("/broken", gid="secret-1"))
    send(browser)
    check(browser.closed(), "a header beside a secret one is changed")
    ask(browser, "Replay")
    calls = until(lambda: stage.peer.calls("/broken", gid="secret-1")[before:])
    check(browser.closed() and calls[-1].headers["authorization"] == "hidden-3"
          and calls[-1].headers["x-old"] == "2", "and what is not shown stays")
    check(calls[-1].query["token"] == "hidden-1" and b"hidden-2" in calls[-1].body,
          "everywhere")


def in_targets(stage, browser, check):
    """The targets of holds and of topics."""
    browser.go("#/stuck")
    ask(browser, "Hold", "a test", within="tr:has([data-key*='token=***'])")
    check(browser.says(f"The target has ***, {HOLDS}", "dialog [role=alert]"),
          "a target that is shown with *** is not held")
    browser.press(Keys.ESCAPE)
    check(browser.closed() and stage.server.get(API + "holds").json == {"holds": []},
          "and nothing was sent")
    target = stage.peer.url("/broken?token=hidden-4")
    stage.server.post(API + "targets/hold", {"target": target, "reason": "a test"})
    browser.go("#/holds")
    ask(browser, "Release", "a test")
    check(browser.reads(f"The target has ***, {HOLDS}. belay release TARGET takes the whole one.",
                        "dialog [role=alert]"), "nor released")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "which can be left")
    stage.server.post(API + "targets/release", {"target": target, "reason": "a test"})
    check(stage.server.get(API + "holds").json == {"holds": []}, "the target itself is")
    subscription = {"topic": "secrets", "target": stage.peer.url("/ok?token=hidden-5")}
    stage.server.post(API + "topics/subscribe", subscription)
    browser.go("#/topics")
    ask(browser, "Unsubscribe", last="rets")
    check(browser.reads(f"The target has ***, {HOLDS}. belay unsubscribe TOPIC TARGET takes the "
                        "whole one.", "dialog [role=alert]"), "nor unsubscribed")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "the dialog can be left")
    browser.click("Subscribe…")
    browser.fill("topic", "secrets")
    browser.fill("target", "http://127.0.0.1/?token=***")
    send(browser)
    check(browser.says(f"The target has ***, {HOLDS}", "dialog [role=alert]"), "nor subscribed")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "this dialog, too")
    stage.server.post(API + "topics/delete", {"topic": "secrets"})


def secrets(stage, browser, check):
    in_an_edit(stage, browser, check)
    in_targets(stage, browser, check)
