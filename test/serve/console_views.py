"""What the console shows: every view, on any screen, whatever the names are."""

import os
import unicodedata
import urllib.parse

from console_stage import API, HOSTILE
from harness import until

PLACES = {
    "": "Overview", "list": "Transactions", "stuck": "Stuck", "topics": "Topics", "hosts": "Hosts",
    "holds": "Holds", "transaction/graph-1": "graph-1",
}
# Everything that can be used has a name, everything that is shown by a picture has words.
NAMELESS = """
const nameOf = (one) => one.getAttribute('aria-label') || one.innerText?.trim() || one.title ||
    [...(one.labels ?? [])].map((label) => label.textContent.trim()).join('');
const bad = [...document.querySelectorAll('button, a, input, select, textarea, summary')]
    .filter((one) => !nameOf(one)).map((one) => one.outerHTML);
bad.push(...[...document.querySelectorAll('table')]
    .filter((one) => !one.caption?.textContent || !one.querySelector('th[scope=col]'))
    .map(() => 'a table without caption or headers'));
bad.push(...[...document.querySelectorAll('main svg:not([role=img][aria-label])')]
    .map((one) => one.outerHTML.slice(0, 80)));
const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
if (new Set(ids).size !== ids.length) bad.push('an id twice');
if (document.querySelectorAll('h1').length !== 1) bad.push('not one h1');
for (const landmark of ['main', 'nav', 'header']) {
  if (!document.querySelector(landmark)) bad.push('no ' + landmark);
}
return bad;
"""
# Texts whose contrast to their ground is below 4.5 (3 for large ones).
PALE = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const ground = (one) => {
  for (; one; one = one.parentElement) {
    const color = rgba(getComputedStyle(one).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255, 255];
};
const bad = new Set();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const one = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !one.getClientRects().length) continue;
  if (one.closest('svg, .unseen, .skip, noscript, #top')) continue;
  const style = getComputedStyle(one);
  const [a, b] = [light(rgba(style.color)), light(ground(one))].sort((x, y) => y - x);
  const least = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
  if ((a + 0.05) / (b + 0.05) < least) bad.add(one.className + ': ' + one.textContent.slice(0, 30));
}
return [...bad];
"""


def place_of(gid):
    return "transaction/" + urllib.parse.quote(gid, safe="")


def lists(browser, *gids):
    """Whether the list has these rows in the end, and no others."""
    return browser.reads("\n".join(gids), "a[data-row]")


def states(browser):
    """The states that are shown, without their signs."""
    return {chip[1:].strip() for chip in browser.run(
        "return [...document.querySelectorAll('main .chip')].map((one) => one.innerText)")}


def keys(stage, by):
    """The causes as the server has them, a line each."""
    return "\n".join(one["key"] for one in stage.server.get(API + "stuck", by=by).json["groups"])


def with_codes(gid):
    """What cannot be seen is shown as its code."""
    return "".join(f"{ord(one):04X}" if unicodedata.category(one)[0] == "C" else one for one in gid)


def services(stage, browser, check):
    """A service by name whose registry is away."""
    stage.server.dtm("submit", {
        "gid": "by-name", "trans_type": "saga", "payloads": ["{}"],
        "steps": [{"action": "http+etcd://127.0.0.1:1/st%2Fock/take", "compensate": ""}]})
    check(until(lambda: any("not asked for" in state for state in states(browser))),
          f"a registry that is away is told: {states(browser)}")
    check(browser.says("etcd://127.0.0.1:1/st%2Fock", "main tbody th"), "with the service's name")
    check(browser.says("127.0.0.1:1: ", "main tbody td"), "and the reason")
    stage.server.dtm("forceStop", {"gid": "by-name"})
    check(stage.ends("by-name", "failed"), "and the transaction ends")


def views(stage, browser, check, stuck):
    """Each view has its data."""
    browser.open()
    check(browser.reads(f"{stuck} transactions are under way; {stuck} of them are stuck.",
                        ".verdict"), "the overview says how many are under way, and stuck")
    check(browser.reads(str(stuck), "#top .badge"), "and so does the head")
    check(browser.reads("Live", ".connection"), "it is told of changes by the event stream")
    browser.go("#/list?gid_prefix=done-")
    check(lists(browser, "done-1") and states(browser) == {"succeeded"},
          "the list finds by a gid's beginning")
    browser.go("#/list?stuck=true")
    check(browser.says("graph-1", "a[data-row]") and states(browser) == {"stuck"},
          "the list filters by state")
    check(len(browser.all("a[data-row]")) == stuck, "and shows all of it")
    browser.one("main select[name=state]").send_keys("turning back")
    check(browser.says("No transaction is like that"), "an empty list says so")
    browser.driver.back()
    check(browser.says("graph-1", "a[data-row]"), "going back shows the filters before")
    browser.go("#/transaction/graph-1")
    check(browser.says("It goes forward: 1 of 3 branches are done"), "a transaction says why")
    picture = browser.one("main svg.graph").get_attribute("aria-label")
    check(picture == "The branches and their order. "
          "Branch 01: action: done, compensate: not begun. "
          "Branch 02: action: not ended, compensate: not begun. "
          "Branch 03, after 01 and 02: action: not begun, compensate: not begun.",
          f"its picture has the order and the states: {picture}")
    check(browser.reads("01 action\n02 action", ".waterfall .names"),
          "the calls have a lane for each operation")
    browser.go("#/stuck")
    check(browser.reads(keys(stage, "handler"), "main .cause"), "stuck ones stand by handler")
    browser.click("Host")
    check(browser.reads(keys(stage, "host"), "main .cause"), "or by host")
    browser.click("Error")
    check(browser.says('HTTP 500: {"message":"out of order"}', "main .cause"), "or by error")
    browser.go("#/hosts")
    check(browser.reads(f"http://127.0.0.1:{stage.peer.port}", "main tbody th"),
          "hosts have a place")
    check(len(states(browser) & {"closed", "open: left alone", "half open: one call tries"}) == 1,
          f"with their breakers: {states(browser)}")
    check(not browser.all("main h2"), "names have none where there are none")
    services(stage, browser, check)
    browser.go("#/holds")
    check(browser.says("Nothing is held back"), "no hold is told in words")
    browser.click("?", "#top")
    check(browser.opened(), "the help is a dialog")
    browser.click("Close", "dialog")
    check(browser.closed(), "which can be closed")
    browser.go("#/nonsense")
    check(browser.says("There is nothing at this address"), "an unknown address too")
    browser.go("#/transaction/nobody")
    check(browser.says("Not found"), "and an unknown transaction")


def paging(stage, browser, check):
    """A second page is where the first one ends, and a link to it works."""
    for i in range(60):
        stage.submit(f"page-{i:02}", "/ok")
    newest = [f"page-{i:02}" for i in range(59, 9, -1)]
    older = [f"page-{i:02}" for i in range(9, -1, -1)]
    browser.go("#/list?gid_prefix=page-")
    check(lists(browser, *newest), "a page has fifty")
    browser.click("Older →")
    check(lists(browser, *older), "the next one goes on")
    browser.open(browser.run("return location.hash"))
    check(lists(browser, *older), "its address shows it again")
    browser.click("Newest")
    check(lists(browser, *newest), "and back to the newest")


def names(stage, browser, check):
    """No name does anything but be shown."""
    browser.open("#/list?stuck=true")
    check(browser.says("long-kkk", "a[data-row]"), "hostile gids are listed")
    codes = set(browser.text("a[data-row] .code").split())
    check({"202E", "200B", "2066"} <= codes, f"controls are shown as their codes: {codes}")
    for gid in HOSTILE:
        browser.go("#/" + place_of(gid))
        check(browser.reads(with_codes(gid), "h1") and browser.says("It goes forward"),
              f"it has a page: {gid[:30]!r}")
        browser.one(".payloads summary").click()
        check(browser.says('"note": "<b>', ".payloads pre"), "its payload is text")
        check(browser.run("return window.harmed") is None, "and nothing of it ran")
        wide = browser.run("return document.documentElement.scrollWidth")
        check(wide <= 1280, "nor leaves the page")
    shown = browser.run("return document.body.textContent")
    check("\u202e" not in shown, "no bidi control is left")
    browser.go("#/transaction/..")
    check(browser.says("A browser cannot ask for a transaction of this name"),
          "a name that is a path")
    browser.go("#/transaction/%zz%ff")
    check(browser.says("Not found"), "an address that cannot be decoded")
    surrogate = browser.run("location.hash = '#/transaction/' + '\\ud800'; return 1")
    check(surrogate == 1 and browser.says("Not found"), "half of a surrogate pair")


def screens(browser, check):
    """360 pixels, dark and light: nothing is wider than the screen, pale or without a name."""
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light")):
        browser.resize(width, 800)
        browser.prefer(color_scheme=scheme, reduced_motion="reduce")
        for place, title in PLACES.items():
            browser.go("#/" + place)
            where = f"{place or 'overview'} at {width}, {scheme}"
            there = browser.reads(title, "h1") and browser.until(
                lambda: "Loading" not in browser.text())
            check(there, f"shown: {where}")
            wide = browser.run("return document.documentElement.scrollWidth")
            check(wide <= width, f"as wide as the screen: {where} ({wide})")
            check(browser.run(PALE) == [], f"no pale text: {where} {browser.run(PALE)}")
            check(browser.run(NAMELESS) == [], f"all has names: {where} {browser.run(NAMELESS)}")
    moving = browser.run("return document.getAnimations().length")
    check(moving == 0, "nothing moves for who wants no motion")
    browser.resize(1280, 900)


def proto_flags():
    """None in a build without protobuf."""
    types = os.environ.get("BELAY_PROTO_SET")
    return ("--proto", types) if types else ()


def messages(stage, browser, check):
    """A payload of gRPC is shown as a message beside what it is."""
    if not proto_flags():
        return
    target = "grpc://127.0.0.1:1/shop.Stock/"
    steps = [{"action": target + "Take", "compensate": target + "PutBack"},
             {"action": target + "Sell", "compensate": ""}]
    stage.submit("typed-1", steps=steps, payloads=["\n\x06<b>\u202e", "{}"])
    browser.open("#/transaction/typed-1")
    browser.one(".payloads summary").click()
    check(browser.says("branch 01 action: shop.Order", ".payloads"), "a message has its type")
    shown = browser.text(".payloads")
    check('"customer": "<b>' in shown and "202E" in shown, f"and its fields: {shown[:300]}")
    check("branch 01 compensate: shop.Cancel" in shown and '"why": "<b>' in shown,
          "as each operation takes it")
    check("branch 01: payload" in shown and "branch 02: payload" in shown, "its bytes are there")
    check("branch 02 action: the service 'shop.Stock' has no method 'Sell'" in shown,
          "what is no message has a reason")


def plots(stage, browser, check):
    """The last hour, as soon as the server has some samples of it."""
    browser.open()
    check(browser.until(lambda: len(browser.all("figure.plot svg")) == 6), "six plots")
    words = browser.one("figure.plot svg").get_attribute("aria-label")
    check("submitted: now" in words and "at most" in words, f"a plot has words: {words}")
    samples = stage.server.get(API + "history").json["samples"]
    check(len(samples) >= 3, "of samples that the server kept")
