"""Firefox through its own protocol (Marionette: JSON over a socket), so that no driver is needed."""

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
SETTINGS = {
    "marionette.port": 0,  # any; it is written into the profile
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "devtools.console.stdout.content": False,
}


class Firefox:
    """A headless Firefox without a network."""

    def __init__(self, profile: Path) -> None:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in SETTINGS.items()]
        (profile / "user.js").write_text("".join(lines), "utf-8")
        options = ["--headless", "--no-remote", "--marionette", "--remote-allow-system-access"]
        command = [FIREFOX, *options, "--width", "1280", "--height", "800", "--profile", profile]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, **quiet)
        try:
            self.socket, self.sent = socket.create_connection(("127.0.0.1", _port(profile)), 30), 0
            self._answer()  # its greeting
            self.ask("WebDriver:NewSession", {})
            self.ask("Marionette:SetContext", {"value": "chrome"})
            self.run("Services.io.offline = true; Services.console.reset();")
            self.ask("Marionette:SetContext", {"value": "content"})
        except BaseException:
            self.close()
            raise

    def ask(self, command: str, parameters: dict[str, object]) -> object:
        """One command and its answer."""
        self.sent += 1
        message = json.dumps([0, self.sent, command, parameters]).encode()
        self.socket.sendall(b"%d:%b" % (len(message), message))
        _, number, error, result = self._answer()
        assert number == self.sent
        assert error is None, error
        return result

    def run(self, script: str, *values: object) -> object:
        """What a function body returns, run in the page."""
        return self.ask("WebDriver:ExecuteScript", {"script": script, "args": list(values)})["value"]

    def faults(self, page: str) -> list[str]:
        """What Firefox's console says of a page, other than that Leaflet reads a property which will go one day."""
        self.ask("Marionette:SetContext", {"value": "chrome"})
        said = self.run("return Services.console.getMessageArray().map(String)")
        self.ask("Marionette:SetContext", {"value": "content"})
        return [message for message in said if page in message and "is deprecated" not in message]

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)
        if hasattr(self, "socket"):
            self.socket.close()

    def _answer(self) -> list[object]:
        size = b""
        while (byte := self._read(1)) != b":":
            size += byte
        return json.loads(self._read(int(size)))

    def _read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = self.socket.recv(size - len(found))
            if not more:
                raise ConnectionError("Firefox has gone")
            found += more
        return found


def _port(profile: Path) -> int:
    """Where it listens, once it does."""
    file = profile / "MarionetteActivePort"
    for _ in range(300):
        if file.exists() and (text := file.read_text("utf-8")):
            return int(text)
        time.sleep(0.1)
    raise TimeoutError("Firefox does not start")
