#!/usr/bin/env -S python3 -B
"""The units, judged by systemd-analyze: that they are right, and how much of the system the service
could still reach.  Where there is no systemd-analyze this is skipped.

systemd.py BUILD CMAKE
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

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


if __name__ == "__main__":
    main()
