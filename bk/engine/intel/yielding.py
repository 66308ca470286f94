"""Letting calls that wait for their verdict go first while an index is built."""

from __future__ import annotations

import os
import platform
import struct

NICE = 10
SLICE_NS = 100_000  # the least that the kernel takes; by default whoever wakes up may wait for some milliseconds
IO_IDLE = 3 << 13  # the class of those that get the disk when nobody else wants it
_ATTR = struct.Struct("=IIQiIQQQ")  # size, policy, flags, nice, priority, slice, …
_SCHED_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "riscv64": 30}
_AUTOGROUP = "/proc/self/autogroup"


def yielding() -> None:
    """Have this process yield to all others for the rest of its life; what the system refuses is done without.

    Where the scheduler shares the processor among sessions first, niceness counts only within one: so a process that
    leads its session makes the session nice. It stays an ordinary process and does not become an idle one: it holds
    locks that the engine waits for, and must get to let go of them on a machine that is never idle.
    """
    for step in (_process, _slice, _session, _disk):
        try:
            step()
        except (OSError, AttributeError):
            continue


def resting() -> None:
    """The same for who holds nothing that others wait for: it gets what the machine has left over."""
    yielding()
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (OSError, AttributeError):
        return


def _process() -> None:
    os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _slice() -> None:
    """Run in short slices, so that others are let in between them; older kernels do not look at this."""
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attr = _ATTR.pack(_ATTR.size, os.SCHED_BATCH, 0, nice, 0, SLICE_NS, 0, 0)
    _system(_SCHED_SETATTR, 0, attr, 0)


def _session() -> None:
    if os.getsid(0) != os.getpid():
        return  # somebody's shell is in it too
    fd = os.open(_AUTOGROUP, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, str(NICE).encode())
    finally:
        os.close(fd)


def _disk() -> None:
    _system(_IOPRIO_SET, 1, 0, IO_IDLE)  # 1: a process; 0: this one


def _system(numbers: dict[str, int], *args: int | bytes) -> None:
    """A system call that Python does not know; nothing on a machine whose number for it is not known here."""
    import ctypes

    number = numbers.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, *args)
