"""A headless Chromium on a pipe: opens pages from disk, runs expressions in them, says what they asked of a network.

The DevTools protocol over file descriptors 3 and 4 (--remote-debugging-pipe), messages of JSON that end with NUL, so
that no port is opened and no further package is needed.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    # Every name and address fails: a request to a network could not even be answered.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


def there() -> bool:
    return shutil.which("chromium") is not None


needed = pytest.mark.skipif(not there(), reason="chromium is not there")


class Browser:
    """`open` a file, `run` expressions; `requests` are the addresses asked for, `troubles` errors of any kind."""

    def __init__(self, width=1280, height=900, scale=1, dark=False, seconds=60):
        self.seconds = seconds
        self.requests: list[str] = []
        self.troubles: list[str] = []
        self.loaded = 0
        self._next = 0
        self._waiting = b""
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self.write_to = os.pipe()
        self.read_from, from_browser = os.pipe()

        def wire() -> None:
            # By way of high numbers: 3 and 4 may be among the ends of the pipes.
            os.dup2(to_browser, 100)
            os.dup2(from_browser, 101)
            os.dup2(100, 3)
            os.dup2(101, 4)

        environment = os.environ | {"HOME": self.profile.name}
        self.process = subprocess.Popen(
            ["chromium", *FLAGS, f"--user-data-dir={self.profile.name}/profile", "about:blank"],
            preexec_fn=wire,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.session = None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)

    def call(self, method: str, **parameters) -> dict:
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        while True:
            got = self._read()
            if got.get("id") == message["id"]:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]

    def _read(self) -> dict:
        until = time.monotonic() + self.seconds
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self.read_from], [], [], max(0, until - time.monotonic()))
            piece = os.read(self.read_from, 1 << 20) if ready else b""
            if not piece:
                raise RuntimeError(f"chromium says nothing (ended with {self.process.poll()})")
            self._waiting += piece
        text, _, self._waiting = self._waiting.partition(b"\0")
        got = json.loads(text)
        self._note(got.get("method"), got.get("params", {}))
        return got

    def _note(self, method: str | None, facts: dict) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(facts["request"]["url"])
        elif method in ("Network.webSocketCreated", "Network.webTransportCreated"):
            self.requests.append(facts["url"])
        elif method == "Runtime.exceptionThrown":
            self.troubles.append(facts["exceptionDetails"].get("exception", {}).get("description", "exception"))
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.troubles.append(str([a.get("value", a.get("description")) for a in facts["args"]]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.troubles.append(facts["entry"]["text"])
        elif method == "Page.loadEventFired":
            self.loaded += 1

    def open(self, path: str | Path, fragment: str = "") -> None:
        before = self.loaded
        self.call("Page.navigate", url="about:blank")
        while self.loaded == before:
            self._read()
        before = self.loaded
        self.call("Page.navigate", url=Path(path).resolve().as_uri() + fragment)
        while self.loaded == before:
            self._read()

    def run(self, expression: str):
        """Value of a JavaScript expression; a promise is awaited."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"].get("exception", {}).get("description", expression))
        return got["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until the expression is true."""
        until = time.monotonic() + self.seconds
        while not self.run(f"Boolean({expression})"):
            if time.monotonic() > until:
                raise RuntimeError(f"not true after {self.seconds} s: {expression}; {self.troubles}")
            time.sleep(0.02)

    def picture(self, path: str | Path, whole=True) -> None:
        got = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(got["data"]))

    def paper(self, path: str | Path) -> None:
        got = self.call("Page.printToPDF", printBackground=False, preferCSSPageSize=True)
        Path(path).write_bytes(base64.b64decode(got["data"]))

    def close(self) -> None:
        try:
            self.session = None
            self.call("Browser.close")
        except (RuntimeError, OSError):
            self.process.kill()
        finally:
            os.close(self.write_to)
            os.close(self.read_from)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.profile.cleanup()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *error) -> None:
        self.close()
