"""A headless Chromium for a page of this machine. Every wait has an end, and so has the browser."""

import json
import os
import shutil
import signal
import sys
import tempfile

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_SECONDS = 90  # a slow machine takes several times as long
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-domain-reliability", "--disable-default-apps", "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "--window-size=1280,900",
)


def end_after(seconds):
    """Ends the test, and with it the browser, when its time is up or it is asked to end."""
    def stop(number, _):
        sys.exit(f"the test was ended by the signal {number}")
    signal.signal(signal.SIGALRM, stop)
    signal.signal(signal.SIGTERM, stop)
    signal.alarm(seconds)


class Browser:
    def __init__(self, base):
        self.base = base
        self.folder = tempfile.TemporaryDirectory(
            prefix="belay-browser-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = shutil.which("chromium")
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service(shutil.which("chromedriver"), env=os.environ | {"HOME": self.folder.name})
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(WAIT_SECONDS)
        self.driver.set_script_timeout(WAIT_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind is not None:
                text = self.text("body")[:2000]
                sys.stderr.write(f"at {self.driver.current_url[:200]}\n{text}\n")
        finally:
            self.driver.quit()
            self.folder.cleanup()

    def cdp(self, command, **arguments):
        return self.driver.execute_cdp_cmd(command, arguments)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def at_start(self, script):
        """A script that runs before the page's own, from the next page on."""
        return self.cdp("Page.addScriptToEvaluateOnNewDocument", source=script)["identifier"]

    def forget_at_start(self, script):
        self.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)

    def resize(self, width, height):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def prefer(self, **features):
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": f"prefers-{name.replace('_', '-')}", "value": value}
            for name, value in features.items()])

    def screenshot(self, path):
        self.driver.save_screenshot(path)

    def open(self, place=""):
        """Loads the page anew."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.base}/{place}")

    def go(self, place):
        """Goes to another place of the page that is there."""
        self.run("location.hash = arguments[0]", place)

    def until(self, condition, seconds=WAIT_SECONDS):
        """What `condition` says in the end; a false value when the time is up."""
        try:
            return WebDriverWait(self.driver, seconds, poll_frequency=0.03, ignored_exceptions=[
                StaleElementReferenceException]).until(lambda _: condition())
        except TimeoutException:
            return None

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        """The first element like this, as soon as there is one that is seen."""
        found = self.until(lambda: next((e for e in self.all(css) if e.is_displayed()), None))
        if found is None:
            raise AssertionError(f"nothing on the page is like {css}")
        return found

    def text(self, css="main"):
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".map((one) => one.innerText).join('\\n')", css)

    def says(self, words, css="main", seconds=WAIT_SECONDS):
        return bool(self.until(lambda: words in self.text(css), seconds))

    def reads(self, words, css):
        """Whether this is in the end all that there is."""
        return bool(self.until(lambda: self.text(css).strip() == words))

    def opened(self):
        """A dialog is open, and no more than one."""
        return bool(self.until(lambda: len(self.all("dialog[open]")) == 1))

    def closed(self):
        """The dialog is gone, and the focus is back where it was."""
        return bool(self.until(lambda: not self.all("dialog")))

    def button(self, name, within="main"):
        """The button with this name, as soon as there is one."""
        def find():
            return next((e for e in self.all(f"{within} button, {within} a")
                         if e.text.strip() == name and e.is_displayed()), None)
        found = self.until(find)
        if found is None:
            raise AssertionError(f"no button is called {name}")
        return found

    def click(self, name, within="main"):
        """Clicks what has this name, even if the page is painted anew meanwhile."""
        def press():
            self.button(name, within).click()
            return True
        if not self.until(press):
            raise AssertionError(f"{name} cannot be clicked")

    def fill(self, name, text, within="dialog"):
        field = self.one(f"{within} [name={name}]")
        field.clear()
        field.send_keys(text)
        return field

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def key(self, letter):
        """A key for the whole page, wherever the focus is."""
        self.run("document.activeElement.dispatchEvent(new KeyboardEvent('keydown',"
                 "{key: arguments[0], bubbles: true, cancelable: true}))", letter)

    def focused(self):
        """What has the focus, in words: its tag, name and text."""
        return self.run("const one = document.activeElement; return [one.localName, "
                        "one.name, one.innerText?.trim()].filter(Boolean).join(' ')")

    def complaints(self):
        """What the browser's log has against the page, besides answers that are no success."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["source"] != "network"]

    def storage(self):
        return json.loads(self.run(
            "return JSON.stringify({session: {...sessionStorage}, local: {...localStorage}, "
            "cookie: document.cookie})"))

