"""The system calls that a unit leaves to its service, and a process that has no others: one that it
makes all the same ends it with SIGSYS, where systemd would only refuse it, so that nobody overlooks
what the service cannot do."""

import ctypes
import re
import struct
import subprocess

PR_GET_SECCOMP = 21
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS and so on
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000


def members(name):
    """The calls of systemd's group NAME, or NAME itself."""
    if not name.startswith("@"):
        return {name}
    said = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter", name], check=True,
                          capture_output=True, text=True).stdout
    lines = [line.strip() for line in said.splitlines()[1:]]
    return set().union(*(members(line) for line in lines if line and line[0] != "#"))


def allowed(unit):
    """The names of what the text UNIT allows, line by line as systemd.exec(5) has it."""
    names = set()
    for line in re.findall(r"^SystemCallFilter=(.*)$", unit, re.MULTILINE):
        calls = set().union(*(members(word) for word in line.lstrip("~").split()))
        names = names - calls if line.startswith("~") else names | calls
    return names


def numbers(names):
    """Those of them that this machine's kernel has, by number."""
    said = subprocess.run(["cc", "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                          check=True, capture_output=True, text=True).stdout
    known = dict(re.findall(r"^#define __NR_(\w+) (\d+)$", said, re.MULTILINE))
    return sorted(int(known[name]) for name in names & known.keys())


def can_be_limited():
    return ctypes.CDLL(None).prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def only(names):
    """For Popen's preexec_fn: from here on NAMES alone."""
    steps = [(LOAD, 0, 0, 0)]  # the call's number is the first in struct seccomp_data
    for number in numbers(names):
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, ALLOW)]
    steps.append((RETURN, 0, 0, KILL_PROCESS))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(
        struct.pack("@HP", len(steps), ctypes.addressof(code)))  # struct sock_fprog
    libc = ctypes.CDLL(None, use_errno=True)

    def begin():
        if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
                or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0):
            raise OSError(ctypes.get_errno(), "prctl")

    begin.code = code  # which the program points to
    return begin
