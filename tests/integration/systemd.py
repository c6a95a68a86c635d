#!/usr/bin/env -S python3 -B
"""The units, judged by systemd-analyze: that they are right, and how much of the system the service
could still reach; and the daemon with the system calls alone that its unit leaves it.  Where there is
no systemd-analyze this is skipped.

systemd.py BUILD CMAKE
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import syscalls

SKIPPED = 77
EXPOSURE_MAX = 2.0  # of 10; systemd calls everything below 4 OK
UNITS = ("billingd.service", "billingd.socket", "billingd-http.socket", "billingd-tcp.socket")


def analyze(*arguments):
    done = subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""},
    )
    return done.returncode, done.stdout + done.stderr


def stage_units(build, cmake, stage):
    """Copies of the units whose program is where systemd-analyze can see it."""
    subprocess.run([cmake, "--install", build], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DESTDIR": stage})
    folder = next(f for f, _, names in os.walk(stage) if UNITS[0] in names)
    unit = os.path.join(folder, UNITS[0])
    with open(unit, encoding="utf-8") as file:
        text = file.read()
    with open(unit, "w", encoding="utf-8") as file:
        file.write(re.sub(r"^ExecStart=(\S+)", rf"ExecStart={stage}\1", text, flags=re.MULTILINE))
    return folder


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def wait_for(lines, msg):
    for line in lines:
        if f"msg={msg}" in line:
            return
    sys.exit(f"the daemon ended before it said msg={msg}")


def use(program, url, daemon):
    """What an operator does, by the billingctl beside PROGRAM."""
    command = [os.path.join(os.path.dirname(program), "billingctl"), "--server", url]
    env = {name: value for name, value in os.environ.items() if not name.startswith("BILLING_")}
    folder = os.path.dirname(url.removeprefix("unix://"))
    for words in (("customer", "create", "Acme"),
                  ("key", "create", "--name", "k", "--role", "reader"),
                  ("server", "backup", f"{folder}/backup"), ("server", "verify")):
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False,
                              env={**env, "HOME": folder, "XDG_CONFIG_HOME": folder})
        if done.returncode != 0:
            daemon.terminate()
            sys.exit(f"{' '.join(words)}: {done.stderr}and the daemon ended with {daemon.wait()}")


def serve_filtered(unit, work):
    """The daemon from its start to its end with nothing but what UNIT leaves it; its status."""
    program = re.search(r"^ExecStart=(\S+)", unit, re.MULTILINE)[1]
    url = f"unix://{work}/s"
    # pylint: disable=subprocess-popen-preexec-fn
    with subprocess.Popen(
        [program, "--data-dir", f"{work}/data", "--listen", f"unix:{work}/s",
         "--listen", "tcp:127.0.0.1:0", "--http", "127.0.0.1:0"],
        stderr=subprocess.PIPE, text=True, preexec_fn=syscalls.only(syscalls.allowed(unit)),
        env={**os.environ, "NOTIFY_SOCKET": f"{work}/n", "WATCHDOG_USEC": "30000000"},
    ) as daemon:
        try:
            wait_for(daemon.stderr, "ready")
            use(program, url, daemon)
            daemon.send_signal(signal.SIGHUP)
            wait_for(daemon.stderr, "reloaded")
        finally:
            daemon.terminate()
            daemon.stderr.read()
        return daemon.wait()


def main():
    build, cmake = sys.argv[1:]
    if not shutil.which("systemd-analyze"):
        print("skipped: there is no systemd-analyze here")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="billing-units.") as stage:
        folder = stage_units(build, cmake, stage)
        units = [os.path.join(folder, name) for name in UNITS]
        status, said = analyze("verify", "--man=no", *units)
        ours = [line for line in said.splitlines() if "billingd" in line]
        if status != 0 or ours:
            sys.exit(f"systemd-analyze verify: {status}\n{said}")
        status, said = analyze("security", "--offline=yes", units[0])
        exposure = re.search(r"Overall exposure level for billingd.service: ([0-9.]+)", said)
        if not exposure or float(exposure.group(1)) > EXPOSURE_MAX:
            sys.exit(f"systemd-analyze security: {status}\n{said}")
        print(f"exposure {exposure.group(1)}")
        if not syscalls.can_be_limited():
            print("there are no filters of system calls here: the daemon was not tried under one")
            return
        status = serve_filtered(read(units[0]), stage)
        if status != 0:
            sys.exit(f"under the unit's SystemCallFilter= the daemon ended with {status}")


if __name__ == "__main__":
    main()
