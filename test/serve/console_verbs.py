"""What an operator does in the console, and what became of it."""

import json

from selenium.webdriver.common.keys import Keys

from branches import ERROR, SUCCESS
from console_stage import API
from harness import until

# Holds every replay back until `release` is called.
SLOW = """
const real = window.fetch;
window.asked = 0;
const open = new Promise((resolve) => { window.release = resolve; });
window.fetch = async (path, options = {}) => {
  if (String(path).endsWith('/replay')) {
    ++window.asked;
    await open;
  }
  return real(path, options);
};
"""
# A group that is larger than a page takes at once.
MANY = """
const real = window.fetch;
const rows = Array.from({length: 500}, (_, i) => ({transaction: {gid: `g-${i}`}, branches: []}));
window.fetch = async (path, options = {}) => (String(path).includes('/stuck/transactions?') ?
  new Response(JSON.stringify({transactions: rows, next_before: 7})) : real(path, options));
"""


def send(browser):
    browser.one("dialog footer button[type=submit]").click()


def ask(browser, verb, reason="", ticket="", last="", within="main"):
    """Fills the dialog of a verb in, and sends it."""
    browser.click(verb, within)
    browser.one("dialog h2")
    if reason:
        browser.fill("reason", reason)
    if ticket:
        browser.fill("ticket", ticket)
    if last:
        browser.fill("check", last)
    send(browser)


def stands(browser, state):
    """The state of the transaction, behind its sign."""
    return browser.until(lambda: browser.text("h1 + span").endswith(state))


def options(browser, name):
    """What a select of the dialog offers."""
    browser.one(f"dialog [name={name}]")
    return [option.text for option in browser.all(f"dialog [name={name}] option")]


def verbs(stage, browser, check):
    """Each verb of one transaction does what its dialog says."""
    browser.open("#/transaction/stop-1")
    ask(browser, "Stop…", "given up", "T-1", "p--1")
    check(browser.reads("Type op-1 to go on.", "dialog [role=alert]"), "a wrong check is refused")
    check(stage.status("stop-1") == "submitted", "and nothing was sent")
    browser.fill("check", "op-1")
    send(browser)
    check(browser.closed() and stage.ends("stop-1", "failed"), "stop ends it")
    check(browser.says("stop-1 was stopped", "#notices"), "which is told")
    check(stands(browser, "failed"), "and seen")
    check(browser.says("stopped by an operator") and browser.says("given up [T-1]"),
          "with its reason and ticket")
    check(browser.all("main .verbs button") == [], "what has ended offers no verb")

    browser.go("#/transaction/back-1")
    ask(browser, "Turn back…", last="ck-1")
    missing = "return document.querySelector('dialog [name=reason]').validity.valueMissing"
    check(browser.run(missing) and browser.opened(), "a reason is needed")
    browser.fill("reason", "wrong order")
    send(browser)
    check(browser.closed() and stage.ends("back-1", "failed"), "turning back ends it")
    check(len(stage.peer.calls("/undo", gid="back-1")) == 2, "and undoes what may have run")

    browser.go("#/transaction/resolve-1")
    browser.click("Resolve…")
    check(options(browser, "which") == [f"02 action {stage.peer.url('/broken')}"],
          "what waits can be resolved")
    check(options(browser, "as") == ["success: it was done",
                                     "failure: it was refused, and did nothing"],
          "an action may have been refused")
    browser.fill("reason", "seen in the books")
    browser.fill("check", "ve-1")
    send(browser)
    check(browser.closed() and stage.ends("resolve-1", "succeed"), "resolving goes on")

    stage.peer.script("/broken", SUCCESS)
    browser.go("#/transaction/replay-1")
    ask(browser, "Replay")
    check(browser.closed() and stage.ends("replay-1", "succeed"), "replay calls at once")
    check(stands(browser, "succeeded"), "the page sees the end by itself")


def offers(stage, browser, check):
    """What is offered is what the engine takes."""
    undo = stage.peer.url("/undo-broken")
    stage.peer.always("/undo-broken", ERROR)
    stage.submit("turned-1", "/ok", "/broken", undo="/undo-broken")
    check(until(lambda: stage.waits("turned-1") == [("02", "action", 1)]), "an action waits")
    stage.server.post(API + "transactions/turned-1/back", {"reason": "a wrong order"})
    check(until(lambda: stage.waits("turned-1") == [("02", "compensate", 1)]),
          "after turning back its compensation waits")
    browser.open("#/transaction/turned-1")
    picture = browser.one("main .waterfall svg").get_attribute("aria-label")
    check(picture == "Calls over time. 01 action: success. 02 action: no answer that counts. "
          "02 compensate: no answer that counts, then waiting.", f"and nothing else: {picture}")
    browser.click("Edit…")
    which = options(browser, "which")
    check(which == [f"02 compensate {undo}", f"01 compensate {undo}"],
          f"both compensations may be edited: {which}")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "Escape closes the dialog")
    browser.click("Resolve…")
    which = options(browser, "which")
    check(which == [f"02 compensate {undo}"], f"one can be resolved: {which}")
    check(options(browser, "as") == ["success: it was done"], "a compensation only succeeds")
    stage.peer.script("/undo-broken", SUCCESS)
    browser.fill("reason", "undone by hand")
    browser.fill("check", "ed-1")
    send(browser)
    check(browser.closed() and stage.ends("turned-1", "failed"), "which is taken")

    stage.submit("message-2", "/broken", trans_type="msg")
    check(until(lambda: stage.waits("message-2") == [("01", "action", 1)]), "a delivery waits")
    browser.go("#/transaction/message-2")
    browser.click("Resolve…")
    check(options(browser, "as") == ["success: it was done"], "a delivery only succeeds")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "Escape closes this dialog, too")


def largest(stage, by):
    """How many are in the first group."""
    return stage.server.get(API + "stuck", by=by).json["groups"][0]["transactions"]


def bulk(stage, browser, check):
    """A group is counted, limited, interrupted."""
    browser.open("#/stuck")
    row = "tr:has([data-key*='/group'])"
    browser.click("Stop all", row)
    check(browser.reads("7 transactions", "dialog form b"), "the group is counted first")
    asked = browser.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    check(sum("/stuck/transactions?" in one for one in asked) == 1
          and not any(one.endswith("/why") for one in asked), "by one request")
    browser.fill("limit", "3")
    browser.fill("reason", "the shop has closed")
    browser.one("dialog [name=check]").click()
    send(browser)
    check(browser.reads("3 transactions stopped.", "dialog p[role=status]"),
          "as many as were wanted are stopped")
    browser.click("Close", "dialog")
    check(browser.closed(), "and the dialog is closed")
    left = [row for row in stage.rows(stuck="true", limit=100) if row["gid"].startswith("group-")]
    check(len(left) == 4, f"the others are left: {len(left)}")
    check(browser.reads("4", f"{row} td.number"), "and counted anew")

    slow = browser.at_start(SLOW)
    browser.open("#/stuck?by=host")
    browser.click("Replay all")
    check(browser.reads(f"{largest(stage, 'host')} transactions", "dialog form b"),
          "a host's group is counted, too")
    browser.fill("limit", "9")
    send(browser)
    check(browser.until(lambda: browser.run("return window.asked") == 4), "four at once")
    browser.click("Interrupt", "dialog")
    browser.run("window.release()")
    check(browser.reads("4 transactions replayed, 5 left alone.", "dialog p[role=status]"),
          "it is interrupted")
    browser.forget_at_start(slow)
    browser.click("Close", "dialog")

    browser.open("#/stuck?by=error")
    browser.click("Replay all")
    check(browser.reads(f"{largest(stage, 'error')} transactions", "dialog form b"),
          "and an error's")
    browser.click("Cancel", "dialog")
    check(browser.closed(), "it can be left")

    many = browser.at_start(MANY)
    browser.open("#/stuck")
    browser.click("Replay all")
    check(browser.reads("1,000 transactions of this group. There are more; at most 1,000 are taken "
                        "at once.", "dialog form p:first-child"), "it is told if there are more")
    browser.forget_at_start(many)
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "Escape leaves it, too")


def topics(stage, browser, check):
    def there():
        found = stage.server.get(API + "topics").json["topics"]
        return {one["name"]: [s["target"] for s in one["subscriptions"]] for one in found}

    browser.open("#/topics")
    check(browser.says("There is no topic"), "no topic is told in words")
    browser.click("Subscribe…")
    browser.fill("topic", "orders")
    browser.fill("target", stage.peer.url("/ok"))
    browser.fill("remark", "<b>mails")
    send(browser)
    check(browser.closed() and browser.says("<b>mails"), "a subscription is seen")
    check(there() == {"orders": [stage.peer.url("/ok")]}, "and there")
    ask(browser, "Unsubscribe", last="ders")
    check(browser.closed() and browser.says("nobody subscribes"), "it is taken back")
    ask(browser, "Delete", last="ders")
    check(browser.closed() and browser.says("There is no topic") and there() == {}, "and deleted")


def edit(stage, browser, check):
    """What an operation is called with is changed, and nothing else of it."""
    browser.open("#/transaction/edit-1")
    browser.click("Edit…")
    payload = browser.one("dialog [name=payload]")
    check(payload.get_property("value") == '{"note":"<b>\u202e"}', "the payload is there as it is")
    headers = browser.one("dialog [name=headers]").get_property("value")
    check(headers == "X-Old: 1", f"and the headers: {headers}")
    browser.fill("payload", '{"amount":31}')
    browser.fill("headers", "X-New: 2")
    browser.fill("reason", "a typo")
    browser.fill("check", "it-1")
    send(browser)
    check(browser.closed(), "an edit is taken")
    check(browser.says("a typo"), "and in the timeline")
    before = len(stage.peer.calls("/broken", gid="edit-1"))
    ask(browser, "Replay")
    calls = until(lambda: stage.peer.calls("/broken", gid="edit-1")[before:])
    check(calls and calls[0].body == b'{"amount":31}',
          f"the next call has the new payload: {calls}")
    headers = calls[0].headers if calls else {}
    check(headers.get("x-new") == "2" and "x-old" not in headers, "and the new headers")
    check(browser.closed(), "the page goes on")


def holds(stage, browser, check):
    """A host is held back and let go."""
    def there():
        return [hold["target"] for hold in stage.server.get(API + "holds").json["holds"]]

    host = f"http://127.0.0.1:{stage.peer.port}"
    browser.open("#/hosts")
    ask(browser, "Hold", "a <b>bad deploy", "T-2")
    check(browser.closed() and there() == [host], f"a host is held: {there()}")
    browser.go("#/holds")
    check(browser.says("a <b>bad deploy [T-2]") and browser.says(host), "holds are shown")
    stage.submit("held-1", "/ok")
    browser.go("#/transaction/held-1")
    check(browser.says("It goes forward: 0 of 1"), "what it calls waits")
    browser.go("#/holds")
    ask(browser, "Release", "repaired")
    check(browser.closed() and there() == [], "it is released")
    check(stage.ends("held-1", "succeed"), "and what waited goes on")
    check(browser.says("Nothing is held back"), "the page says so")


def keyboard(browser, check):
    """All of it without a mouse."""
    browser.open("#/list?stuck=true")
    browser.one("a[data-row]")
    browser.press(Keys.TAB)
    check(browser.focused() == "a Skip to the content",
          f"first the skip link: {browser.focused()}")
    browser.press(Keys.TAB)
    check(browser.focused() == "a belay", "then the head")
    ring = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
    check(ring == "solid", "the focus is seen")
    browser.press("?")
    check(browser.says("find a transaction", "dialog"), "? opens the help")
    browser.press(Keys.ESCAPE)
    check(browser.closed() and browser.focused() == "a belay",
          "Escape closes it, and the focus is back")
    browser.press("g", "s")
    check(browser.reads("Stuck", "h1"), "g s goes to what is stuck")
    browser.press("/")
    check(browser.until(lambda: browser.focused() == "input gid_prefix"), "/ goes to the search")
    browser.press("edit-", Keys.ENTER)
    check(browser.until(lambda: "gid_prefix=edit-" in browser.run("return location.hash")),
          "Enter searches")
    check(browser.reads("edit-1", "a[data-row]"), "and finds")
    browser.key("j")
    check(browser.focused() == "a edit-1", "j goes to the row")
    browser.press(Keys.ENTER)
    browser.button("Replay")
    browser.key("x")
    check(browser.says("Stop for good", "dialog"), "x asks whether to stop")
    inside = "return document.activeElement.closest('dialog') !== null"
    check(browser.opened() and browser.run(inside), "the focus is in the dialog")
    browser.press(Keys.ESCAPE)
    check(browser.closed(), "and leaves it by Escape")
    browser.run("document.querySelector('[data-shortcut=p]').focus()")
    browser.press(Keys.ENTER)
    check(browser.opened(), "Enter opens a dialog")
    browser.press(Keys.ESCAPE)
    check(browser.closed() and browser.focused() == "button Replay",
          "back to the button that opened it")
    browser.run("window.button = document.activeElement")
    browser.press(Keys.ENTER)
    check(browser.until(lambda: browser.run("return !window.button.isConnected"))
          and browser.opened(), "the page behind a dialog is painted anew")
    browser.press(Keys.ESCAPE)
    check(browser.closed() and browser.focused() == "button Replay",
          "and the focus is on the button that is there now")


def twice(stage, browser, check):
    """An answer that is lost: trying again goes out with the same key."""
    browser.open("#/transaction/edit-1")
    browser.button("Replay")
    browser.run("""
      const real = window.fetch;
      window.keys = [];
      window.fetch = async (path, options = {}) => {
        if (!String(path).endsWith('/replay')) return real(path, options);
        window.keys.push(options.headers['Idempotency-Key']);
        const answer = await real(path, options);
        if (window.keys.length === 1) throw new TypeError('the answer is lost');
        return answer;
      };""")
    stage.peer.always("/broken", ERROR)
    before = len(stage.peer.calls("/broken", gid="edit-1"))
    ask(browser, "Replay")
    check(browser.says("It is not known whether the change was made", "dialog"), "it is told so")
    send(browser)
    check(browser.closed(), "the second try is answered")
    keys = browser.run("return window.keys")
    check(len(keys) == 2 and keys[0] == keys[1], f"by the same key: {json.dumps(keys)}")
    called = until(lambda: len(stage.peer.calls("/broken", gid="edit-1")) > before)
    check(called and len(stage.peer.calls("/broken", gid="edit-1")) == before + 1, "and done once")
