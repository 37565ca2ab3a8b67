"""The sandbox of the image worker: kernel limits for a program that decodes untrusted pictures.

Each layer works by itself, and is left out if the kernel lacks it:

- `identity`: a root process becomes a user that owns nothing, so that it cannot inspect other processes.
- `landlock`: no file can be opened, no TCP port reached, no outside process signaled or inspected.
- `seccomp`: the only system calls left compute, allocate memory, and use what is already open. There is no call to
  open, connect, execute, fork or trace.

Import every module before calling `enter`; afterwards no module can be read.
"""

import ctypes
import os
import resource
import struct

UNPRIVILEGED_ID = 64_813  # a user and group id that no system assigns
NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
LAYERS = ("identity", "landlock", "seccomp")

# Landlock: the numbers of its calls are the same on every architecture.
CREATE_RULESET, RESTRICT_SELF, ASK_VERSION = 444, 446, 1
FILES = {1: 13, 2: 14, 3: 15, 5: 16}  # the number of kinds of file access in each version
TCP, SCOPES = 0b11, 0b11  # bind and connect; abstract Unix sockets and signals
NETWORK_VERSION, SCOPES_VERSION = 4, 6

# seccomp: struct seccomp_data is {int nr; u32 arch; u64 instruction; u64 arguments[6]}
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, REFUSE, ABSENT = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
THREAD = 0x10000  # the flag of `clone` that creates a thread instead of a process
X32 = 0x40000000
# name: its number on x86_64, on aarch64
CALLS = {
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "brk": (12, 214),
    "madvise": (28, 233),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "futex": (202, 98),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "membarrier": (324, 283),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "restart_syscall": (219, 128),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
CLONE, CLONE3 = (56, 220), (435, 435)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class Filter(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def limit(memory: int, seconds: int) -> None:
    """Limit this process to `memory` bytes and `seconds` of processor time; it can write no file."""
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(what, (most, most))


def enter() -> list[str]:
    """Confine this process for the rest of its life; return the layers that are in effect."""
    libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    applied = zip(LAYERS, (change_identity(), restrict_access(), filter_calls()), strict=True)
    return [name for name, is_applied in applied if is_applied]


def change_identity() -> bool:
    """Become a user that owns nothing, if this process is root and may; return whether it did."""
    try:
        os.setgroups([])
        os.setresgid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        os.setresuid(UNPRIVILEGED_ID, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    except OSError:
        return False
    return True


def restrict_access() -> bool:
    """Refuse every access that Landlock knows; return False if the kernel has no Landlock."""
    version = libc.syscall(CREATE_RULESET, None, 0, ASK_VERSION)
    if version < 1:
        return False
    files = max(bits for since, bits in FILES.items() if since <= version)
    handled = [(1 << files) - 1]
    handled += [TCP] if version >= NETWORK_VERSION else []
    handled += [SCOPES] if version >= SCOPES_VERSION else []
    attributes = struct.pack(f"={len(handled)}Q", *handled)
    ruleset = libc.syscall(CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    done = libc.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(done == 0)


def filter_calls() -> bool:
    """Allow only CALLS, and `clone` for threads; return False if the kernel or the machine is unknown."""
    if (machine := MACHINES.get(os.uname().machine)) is None:
        return False
    program = write_program(*machine)
    loaded = Filter(len(program) // 8, program)
    return bool(libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(loaded), 0, 0) == 0)


def write_program(column: int, architecture: int) -> bytes:
    """Return the filter as classic BPF. The two numbers of a jump are the instructions to skip if true and if false."""
    numbers = [call[column] for call in CALLS.values()]
    lines = [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, REFUSE),
        (EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, ABSENT),  # the C library then creates threads by `clone`, whose flags the filter can read
        *((EQUAL, len(numbers) - at + 2, 0, number) for at, number in enumerate(numbers)),
        (EQUAL, 0, 3, CLONE[column]),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (ANY_BIT, 0, 1, THREAD),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)


libc = ctypes.CDLL(None, use_errno=True)
