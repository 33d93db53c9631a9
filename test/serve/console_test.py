#!/usr/bin/env python3
"""The console in a browser: every view and verb, hostile names, tokens, the policy, small screens,
the keyboard. With BELAY_SCREENSHOTS a folder, a picture of each view is kept there.
"""

import contextlib
import os
import sys

import console_access
import console_secrets
import console_verbs
import console_views
from browser import Browser, end_after
from console_stage import Stage

failures = []


def check(passed, what):
    if not passed:
        failures.append(what)
    print(f"{'ok  ' if passed else 'FAIL'} {what}"[:400], flush=True)


def screenshots(browser):
    folder = os.environ.get("BELAY_SCREENSHOTS")
    if not folder:
        return
    for name, width, scheme in (("light", 1280, "light"), ("dark", 1280, "dark"),
                                ("phone", 360, "light")):
        browser.resize(width, 1200)
        browser.prefer(color_scheme=scheme)
        for place in console_views.PLACES:
            browser.go("#/" + place)
            browser.until(lambda: "Loading" not in browser.text())
            file = f"{name}-{place.partition('/')[0] or 'overview'}.png"
            browser.screenshot(os.path.join(folder, file))
    browser.resize(1280, 900)


def main():
    end_after(1500)  # hangs; slow machines take a few minutes
    console_access.off(check)
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(Stage(*console_views.proto_flags()))
        stuck = stage.fill()
        console_access.files(stage, check)
        console_access.gate(stage, check)
        browser = stack.enter_context(Browser(stage.base))
        console_views.views(stage, browser, check, stuck)
        console_views.names(stage, browser, check)
        console_views.screens(browser, check)
        console_verbs.bulk(stage, browser, check)
        console_verbs.verbs(stage, browser, check)
        console_verbs.offers(stage, browser, check)
        console_secrets.secrets(stage, browser, check)
        console_verbs.topics(stage, browser, check)
        console_verbs.edit(stage, browser, check)
        console_verbs.holds(stage, browser, check)
        console_verbs.keyboard(browser, check)
        console_verbs.twice(stage, browser, check)
        console_views.paging(stage, browser, check)
        console_views.plots(stage, browser, check)
        console_views.messages(stage, browser, check)
        screenshots(browser)
        console_access.lost(stage, browser, check)

        def elsewhere(base):
            browser.base = base
            return browser
        console_access.tokens(elsewhere, check)
        complaints = browser.complaints()
        check(complaints == [], f"the browser has no complaint: {complaints}")
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
