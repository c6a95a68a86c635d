#!/usr/bin/env -S python3 -B
"""A page of another origin, in a real browser, against a daemon.

browser.py BILLINGD: serve a page from a port of its own on loopback, and let headless Chromium open
it.  The page tries to read customers and to record some, by fetch (simple and preflighted), by a form
and by an image.  Without http_origins it must read nothing and record nothing; with its origin named,
what it asks by fetch as JSON works.  Where there is no chromium this says so, and is skipped.
"""

import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

READY_S = 120
BROWSER_S = 120
TRIES = 3  # a browser may fail to come up on a busy machine

PAGE = """<!doctype html><title>page</title><pre id="result">unfinished</pre>
<iframe name="sink"></iframe>
<form id="form" method="post" enctype="text/plain" target="sink"
      action="http://DAEMON/api/v1/customers">
<input name='{"customer_name": "form", "x": "' value='"}'></form>
<script>
const api = "http://DAEMON/api/v1/customers";
const said = {};
async function attempt(name, options) {
  try {
    const answer = await fetch(api, options);
    said[name] = answer.type + " " + answer.status + " " + (await answer.text());
  } catch (error) {
    said[name] = "error";
  }
}
function image() {
  return new Promise(done => {
    const img = new Image();
    img.onload = () => { said.image = "loaded"; done(); };
    img.onerror = () => { said.image = "error"; done(); };
    img.src = api;
  });
}
function form() {
  return new Promise(done => {
    document.getElementsByName("sink")[0].onload = () => {
      try {
        said.form = "read " + frames[0].document.body.textContent;
      } catch (error) {
        said.form = "error";
      }
      done();
    };
    document.getElementById("form").submit();
  });
}
(async () => {
  const body = name => JSON.stringify({customer_name: name});
  await attempt("read", {});
  await attempt("opaque_read", {mode: "no-cors"});
  await attempt("simple", {method: "POST", body: body("simple")});
  await attempt("opaque_write", {method: "POST", mode: "no-cors", body: body("opaque")});
  await attempt("preflighted", {method: "POST", body: body("preflighted"),
                                headers: {"Content-Type": "application/json"}});
  await image();
  await form();
  document.getElementById("result").textContent = "RESULT" + JSON.stringify(said) + "END";
  await fetch("/done", {method: "POST", body: JSON.stringify(said)});
})();
</script>
"""


def need(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


class Daemon:
    """One with its data in DIRECTORY, listening on a port of the kernel's choosing."""

    def __init__(self, billingd, directory, args):
        self.process = subprocess.Popen(
            [billingd, "--data-dir", os.path.join(directory, "data"), "--listen",
             "unix:" + os.path.join(directory, "socket"), "--http", "127.0.0.1:0", *args],
            stderr=subprocess.PIPE, text=True)
        self.address = None
        timer = threading.Timer(READY_S, self.process.kill)
        timer.start()
        for line in self.process.stderr:
            found = re.search(r"door=http address=(\S+)", line)
            self.address = found.group(1) if found else self.address
            if "msg=ready" in line:
                break
        timer.cancel()
        need(self.address is not None, "the daemon did not start")
        self.rest = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.rest.start()

    def customers(self):
        connection = http.client.HTTPConnection(self.address)
        connection.request("GET", "/api/v1/customers")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return sorted(customer["name"] for customer in answer["customers"])

    def create(self, name):
        connection = http.client.HTTPConnection(self.address)
        connection.request("POST", "/api/v1/customers", json.dumps({"customer_name": name}),
                           {"Content-Type": "application/json"})
        need(connection.getresponse().status == 201, "no customer was made")
        connection.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(READY_S)


class Site:
    """Serves the page, and takes what it found out."""

    def __init__(self):
        self.page = ""
        self.said = None
        self.done = threading.Event()
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, text):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(text.encode())

            def do_GET(self):
                self.answer(site.page if self.path == "/" else "")

            def do_POST(self):
                site.said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer("")
                site.done.set()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def browse(chromium, site, address, directory):
    """What the page found out about the daemon at ADDRESS."""
    for i in range(TRIES):
        if browse_once(chromium, site, address, os.path.join(directory, "profile%d" % i)):
            return site.said
    raise AssertionError("the browser did not get through with the page")


def browse_once(chromium, site, address, directory):
    """Whether a browser with its profile in DIRECTORY gets through with the page."""
    os.mkdir(directory)
    site.page = PAGE.replace("DAEMON", address)
    site.said = None
    site.done.clear()
    environment = dict(os.environ, HOME=directory)
    browser = subprocess.Popen(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--disable-default-apps", "--proxy-server=direct://",
         "--user-data-dir=" + directory, "--remote-debugging-port=0",
         site.origin + "/"],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True)
    try:
        return site.done.wait(BROWSER_S)
    finally:
        os.killpg(browser.pid, signal.SIGKILL)
        browser.wait()


def check_refused(chromium, billingd, site, directory):
    daemon = Daemon(billingd, directory, [])
    daemon.create("secret")
    said = browse(chromium, site, daemon.address, directory)
    need("secret" not in json.dumps(said), "the page has read:", said)
    for name in ("read", "simple", "preflighted", "image", "form"):
        need(said[name] == "error", name, said[name])
    for name in ("opaque_read", "opaque_write"):
        need(said[name] == "opaque 0 ", name, said[name])
    need(daemon.customers() == ["secret"], "recorded:", daemon.customers())
    daemon.stop()


def check_allowed(chromium, billingd, site, directory):
    daemon = Daemon(billingd, directory, ["--http-origins", site.origin])
    daemon.create("secret")
    said = browse(chromium, site, daemon.address, directory)
    need(said["read"].startswith("cors 200 ") and "secret" in said["read"], said)
    need(said["preflighted"].startswith("cors 201 "), said)
    need(said["simple"].startswith("cors 415 "), said)
    recorded = daemon.customers()  # by a browser that came up in vain, too
    need(set(recorded) == {"preflighted", "secret"}, "recorded:", recorded)
    daemon.stop()


def main():
    billingd = os.path.abspath(sys.argv[1])
    chromium = shutil.which("chromium")
    if chromium is None:
        print("no chromium: scripts/install-deps --test installs it")
        return 77
    site = Site()
    for check in (check_refused, check_allowed):
        directory = tempfile.mkdtemp(prefix="billing-browser-")
        try:
            check(chromium, billingd, site, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        print("ok", check.__name__)
    return 0


sys.exit(main())
