#!/usr/bin/env -S python3 -B
"""What `cmake --install` puts down, used from there: programs that are compiled against the installed
library, in C99 and in C++17, by pkg-config and by find_package, one of them the manual page's
example, run against the installed daemon.

install.py SOURCE BUILD CMAKE
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

COMMON = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
PATIENCE_S = 120


def run(*command, **options):
    """Standard output of COMMAND, which is to end with 0."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def expect(true, what):
    if not true:
        sys.exit(f"not so: {what}")


def declarations(folder):
    """What the public headers in FOLDER declare, "const char *billing_version(void);" and so on."""
    declared = []
    for path in sorted(glob.glob(f"{folder}/*.h")):
        with open(path, encoding="utf-8") as file:
            plain = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)
        declared += re.findall(r"^BILLING_API ([^;#]*;)", plain, re.MULTILINE)
    expect(declared, f"there are headers in {folder}")
    return declared


class Installed:
    """A build staged in a directory of its own: nothing of it may know the real prefix."""

    def __init__(self, build, cmake, stage):
        run(cmake, "--install", build, env={**os.environ, "DESTDIR": stage})
        [header] = self.find(stage, "billing.h")
        self.stage = stage
        self.prefix = os.path.dirname(os.path.dirname(os.path.dirname(header)))
        [self.library] = self.find(stage, "libbilling.so")
        [pc] = self.find(stage, "billing.pc")
        self.env = {
            **os.environ,
            "PKG_CONFIG_PATH": os.path.dirname(pc),
            "LD_LIBRARY_PATH": os.path.dirname(self.library),
        }

    @staticmethod
    def find(top, name):
        return [
            os.path.join(folder, name) for folder, _, names in os.walk(top) if name in names
        ]

    def below(self, *parts):
        return os.path.join(self.prefix, *parts)

    def flags(self):
        return run("pkg-config", "--cflags", "--libs", "billing", env=self.env).split()


def check_files(there):
    """Each thing in the place where those look who look for it."""
    for name in (
        "bin/billingd",
        "bin/billingctl",
        "include/billing/billing.h",
        "share/billing/billingd.conf",
        "share/bash-completion/completions/billingctl",
        "share/zsh/site-functions/_billingctl",
        "share/fish/vendor_completions.d/billingctl.fish",
        "lib/systemd/system/billingd.service",
        "lib/systemd/system/billingd.socket",
        "lib/systemd/system/billingd-http.socket",
        "lib/systemd/system/billingd-tcp.socket",
        "lib/sysusers.d/billingd.conf",
        "lib/tmpfiles.d/billingd.conf",
    ):
        expect(os.path.getsize(there.below(name)) > 0, f"{name} is installed")
    if shutil.which("scdoc"):
        for page in ("man1/billingctl.1", "man3/libbilling.3", "man8/billingd.8",
                     "man5/billingd.conf.5"):
            expect(os.path.getsize(there.below("share/man", page)) > 0, f"{page} is installed")
    [unit] = there.find(there.stage, "billingd.service")
    with open(unit, encoding="utf-8") as file:
        started = re.search(r"^ExecStart=(\S+) --config (\S+)$", file.read(), re.MULTILINE)
    expect(started, "the unit starts billingd with a config file")
    for path in started.groups():
        expect(os.path.exists(there.stage + path), f"{path}, which the unit names, is installed")


def check_config_is_kept(there, build, cmake):
    [path] = [p for p in there.find(there.stage, "billingd.conf") if "/etc/billingd/" in p]
    with open(path, "a", encoding="utf-8") as file:
        file.write("# mine\n")
    run(cmake, "--install", build, env={**os.environ, "DESTDIR": there.stage})
    with open(path, encoding="utf-8") as file:
        expect("# mine\n" in file.read(), "installing again keeps the config file")


def check_prefix(build, cmake, prefix):
    """--prefix puts all of it below another prefix than the build's."""
    run(cmake, "--install", build, "--prefix", prefix)
    for name in ("bin/billingd", "etc/billingd/billingd.conf",
                 "lib/systemd/system/billingd.service"):
        expect(os.path.exists(os.path.join(prefix, name)), f"{name} is below --prefix")
    expect(run(f"{prefix}/bin/billingctl", "--version"), "billingctl runs from there")


def check_library(there):
    dynamic = run("readelf", "-d", there.library)
    expect("Library soname: [libbilling.so.0]" in dynamic, "the soname is libbilling.so.0")
    expect(os.path.islink(there.library), "libbilling.so is a link")
    exported = {
        line.split()[-1].split("@")[0]
        for line in run("nm", "-D", "--defined-only", there.library).splitlines()
    } - {"LIBBILLING_0.1"}
    declared = synopsis("".join(declarations(there.below("include/billing")))).keys()
    expect(exported == declared, f"exported is what is declared, not {exported ^ declared}")


def check_completions(there):
    billingctl = there.below("bin/billingctl")
    for shell, path in (
        ("bash", "share/bash-completion/completions/billingctl"),
        ("zsh", "share/zsh/site-functions/_billingctl"),
        ("fish", "share/fish/vendor_completions.d/billingctl.fish"),
    ):
        with open(there.below(path), encoding="utf-8") as file:
            expect(file.read() == run(billingctl, "completion", shell), f"{path} is up to date")
        if shutil.which(shell):
            run(shell, "-n", there.below(path))


def synopsis(text):
    """The prototypes in TEXT by name, blanks as one."""
    plain = re.sub(r"\s+", " ", text)
    return {
        name: prototype
        for prototype, name in re.findall(r"((?:const )?\w+ \*?(billing_\w+)\([^;]*\));", plain)
    }


def check_page(source):
    """libbilling(3) has the prototypes of the headers, all of them and no other.  Its example."""
    with open(f"{source}/docs/man/libbilling.3.scd", encoding="utf-8") as file:
        page = file.read()
    declared = synopsis("".join(declarations(f"{source}/libbilling/include/billing")))
    shown = synopsis(page.split("# DESCRIPTION")[0])
    for name in sorted(declared.keys() | shown.keys()):
        expect(
            declared.get(name) == shown.get(name),
            f"{name} is in libbilling(3) as in its header: {declared.get(name)} / {shown.get(name)}",
        )
    example = page.split("# EXAMPLE\n\n```\n")[1].split("```")[0]
    return example.replace("\\\\", "\\")


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def build_all(there, example, work):
    """{what: program}"""
    c_file = write(f"{work}/owes.c", example)
    cc_file = write(f"{work}/owes.cc", example)
    pkg = there.flags()
    programs = {"c99": f"{work}/c99", "c++17": f"{work}/cc17", "find_package": f"{work}/b/owes"}
    run("cc", "-std=c99", *COMMON, c_file, "-o", programs["c99"], *pkg, env=there.env)
    run("c++", "-std=c++17", *COMMON, cc_file, "-o", programs["c++17"], *pkg, env=there.env)
    write(
        f"{work}/CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.22)\nproject(owes C)\n"
        "find_package(billing 0.1 REQUIRED)\n"
        "add_executable(owes owes.c)\ntarget_link_libraries(owes PRIVATE billing::billing)\n",
    )
    run("cmake", "-S", work, "-B", f"{work}/b", f"-DCMAKE_PREFIX_PATH={there.prefix}")
    run("cmake", "--build", f"{work}/b")
    with open(f"{work}/b/CMakeCache.txt", encoding="utf-8") as file:
        found = re.search(r"^billing_DIR:PATH=(.*)$", file.read(), re.MULTILINE).group(1)
    expect(found.startswith(there.prefix), f"find_package found {there.prefix}, not {found}")
    return programs


class Daemon:
    """The installed daemon on a socket of its own; gone at the end of the block."""

    def __init__(self, there, work):
        self.url = f"unix://{work}/s"
        self.command = [there.below("bin/billingd"), "--data-dir", f"{work}/data",
                        "--listen", f"unix:{work}/s"]

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "msg=ready" in line:
                return self
        sys.exit(f"{self.command[0]} did not get ready")

    def __exit__(self, *_):
        self.process.terminate()
        expect(self.process.wait(PATIENCE_S) == 0, "the daemon ended in order")
        self.process.stderr.close()


def bill(there, program, name, env):
    """What PROGRAM says that a new customer owes this month: again, where the month has ended
    between recording and asking."""
    while True:
        month = time.gmtime().tm_mon
        customer = run(there.below("bin/billingctl"), "customer", "create", name, "--output", "id",
                       env=env).strip()
        total = run(program, customer, env=env)
        if time.gmtime().tm_mon == month:
            return total


def main():
    source, build, cmake = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="billing-install.") as work:
        there = Installed(build, cmake, f"{work}/stage")
        check_files(there)
        check_config_is_kept(there, build, cmake)
        check_prefix(build, cmake, f"{work}/prefix")
        check_library(there)
        check_completions(there)
        programs = build_all(there, check_page(source), work)
        with Daemon(there, work) as daemon:
            env = {**there.env, "BILLING_URL": daemon.url}
            env.pop("BILLING_TOKEN", None)
            env["HOME"] = env["XDG_CONFIG_HOME"] = work  # whoever runs this may have settings
            for how, program in programs.items():
                total = bill(there, program, how, env)
                expect(total == "2.9 USD\n", f"{how}: 58 at 0.05 are 2.9 USD, not {total}")
    expect(not glob.glob(f"{work}*"), "nothing is left")


if __name__ == "__main__":
    main()
