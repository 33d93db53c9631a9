"""Who gets the console, and what its answers say to a browser."""

import os
import re
import signal
import tempfile

from selenium.webdriver.common.keys import Keys

from console_stage import API, Stage
from harness import Client, Server, free_port

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
          "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
SOURCES = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "serve", "console")


def files(stage, check):
    """Every file of the page has strict headers, and nothing in it is inline."""
    server = stage.server
    index = server.get("/")
    check(index.status == 200 and "text/html" in index.headers["content-type"], "the page is at /")
    names = set(re.findall(r'(?:src|href)="(console/[^"]+)"', index.text))
    seen = set()
    while names - seen:
        name = sorted(names - seen)[0]
        seen.add(name)
        reply = server.get("/" + name)
        kind = {"js": "text/javascript", "css": "text/css"}[name.rsplit(".", 1)[1]]
        check(reply.status == 200 and reply.headers["content-type"].startswith(kind), name)
        check(reply.headers["content-security-policy"] == POLICY
              and reply.headers["x-content-type-options"] == "nosniff"
              and reply.headers["referrer-policy"] == "no-referrer"
              and reply.headers["cache-control"] == "no-cache", f"strict headers: {name}")
        names |= {"console/" + found for found in re.findall(r"from '\./([^']+)'", reply.text)}
        check(not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(",
                            reply.text), f"makes no HTML: {name}")
    check(seen == {f"console/{name}" for name in os.listdir(SOURCES)
                   if name.endswith((".js", ".css"))}, f"all are found: {len(seen)}")
    check(index.headers["content-security-policy"] == POLICY, "the page has the policy")
    inline = re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)|https?:", index.text)
    check(inline is None, "nothing in it is inline or from outside")
    again = server.request("GET", "/", headers={"If-None-Match": index.headers["etag"]})
    check((again.status, again.body) == (304, b""), "what a browser has is not sent again")
    other = server.request("GET", "/", headers={"If-None-Match": '"another"'})
    check(other.status == 200, "but sent if it has another")
    check(server.request("HEAD", "/").status == 200, "HEAD is answered")
    for path in ("/console/", "/console/none.js", "/console/../state.db", "/console/%2e%2e/x",
                 "/index.html"):
        check(server.get(path).status == 404, f"nothing is at {path}")
    check(server.request("POST", "/", b"{}").status == 404, "POST is for nobody")


def gate(stage, check):
    """Links lead to the page from anywhere; other sites' scripts get nothing."""
    def status(path="/", **headers):
        return stage.server.request("GET", path, headers={
            name.replace("_", "-"): value for name, value in headers.items()}).status

    check(status(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == 200,
          "a link leads here")
    check(status("/console/main.js", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors") == 403,
          "another site's page does not load its files")
    check(status(API + "overview", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate") == 403,
          "no link leads to the data")
    check(status(Host="evil.example") == 403, "another name of this machine gets nothing")


def off(check):
    """--no-console, and the listener for probes."""
    with Server("--no-console") as server:
        check(server.get("/").status == 404, "--no-console: nothing at /")
        check(server.get("/console/main.js").status == 404, "nor below")
        check(server.get(API + "overview").status == 200, "the API is still there")
    port = free_port()
    with Server("--probe-listen", f"127.0.0.1:{port}"):
        client = Client(port)
        check(client.request("GET", "/").status == 404, "probes get no page")
        client.close()


def tokens(browser_for, check):
    """A token is asked for, kept in the tab, and shows what its role may."""
    with tempfile.TemporaryDirectory(prefix="belay-console-") as folder:
        path = os.path.join(folder, "tokens")
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write("ops:admin:secret-ops\nsees:read:secret-sees\n")
        with Stage("--token-file", path) as stage:
            with_tokens(stage, browser_for(stage.base), path, check)


def with_tokens(stage, browser, path, check):
    stage.server.request("POST", API + "topics/subscribe",
                         b'{"topic":"t","target":"http://127.0.0.1:1/"}',
                         {"Authorization": "Bearer secret-ops",
                          "Content-Type": "application/json"})
    browser.open("#/topics")
    check(browser.says("wants to know who asks", "dialog"), "without a token it is asked for")
    check(browser.opened(), "once for all requests")
    browser.fill("token", "wrong").submit()
    check(browser.says("does not know this token", "dialog"), "a wrong one is asked for again")
    browser.fill("token", "secret-sees").submit()
    check(browser.says("http://127.0.0.1:1/"), "a right one shows the data")
    check(browser.closed(), "and nothing is asked any more")
    check(browser.reads("Live", ".connection"), "the event stream has it, too")
    check(browser.until(lambda: not browser.all("main .row-verbs")),
          "who may look may not change")
    stored = browser.storage()
    check(stored["session"]["belay.token"] == "secret-sees" and stored["local"] == {}
          and stored["cookie"] == "", "it is kept for the session only")
    browser.driver.refresh()
    check(browser.says("http://127.0.0.1:1/"), "and is there after a reload")
    browser.click("Forget token", "#top")
    check(browser.says("wants to know who asks", "dialog"), "until it is forgotten")
    browser.fill("token", "secret-ops").submit()
    check(browser.says("Unsubscribe"), "an admin may change")
    with open(path, "w") as file:
        file.write("ops:read:secret-ops\n")
    stage.server.process.send_signal(signal.SIGHUP)
    check(browser.until(lambda: "1 tokens were read again" in stage.server.log_tail()),
          "the role becomes smaller")
    browser.click("Unsubscribe")
    browser.fill("check", "t")
    browser.one("dialog footer button[type=submit]").click()
    check(browser.says("Not allowed", "dialog"), "a refused change is told")
    browser.press(Keys.ESCAPE)
    check(browser.closed() and browser.until(lambda: not browser.all("main .row-verbs")),
          "and no longer offered")
    check("secret-" not in browser.run("return document.documentElement.outerHTML"),
          "no token is on the page")


def lost(stage, browser, check):
    """A server that goes away and comes back."""
    browser.open("#/list?gid_prefix=done-")
    check(browser.reads("done-1", "a[data-row]") and browser.reads("Live", ".connection"),
          "all is well")
    stage.server.kill()
    check(browser.says("No connection since", ".connection"), "a lost connection is told")
    check(browser.says("The server cannot be reached"), "and why the list is old")
    check(browser.reads("done-1", "a[data-row]"), "which stays to be read")
    stage.server.start(seconds=120)
    check(browser.reads("Live", ".connection"), "it comes back by itself")
    check(browser.until(lambda: "cannot be reached" not in browser.text()), "and the list, too")
