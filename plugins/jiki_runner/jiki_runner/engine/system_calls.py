"""seccomp: the kernel refuses this process the system calls that nobody's exercise needs. Linux on x86-64 and
arm64.

A list of what is forbidden, not of what is allowed: the engines' own needs change with their versions, while
what a prisoner would want is old and known. `openat2` and `clone3` hide their flags behind a pointer, so they
are answered "no such call" and the callers fall back to `openat` and `clone`, whose flags are checked.
`sendto` and `recvfrom` stay: without a way to get a socket they only reach the pair by which the engine's own
event loop wakes itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000

# Classic BPF, as in include/uapi/linux/bpf_common.h.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE, _OFFSET_ARGUMENTS = 0, 4, 16

_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class _Architecture:
    audit_number: int
    #: Numbers from here on are another ABI's; 0 if there is none.
    foreign_from: int
    forbidden: tuple[int, ...]
    unknown: tuple[int, ...]
    clone: int
    #: (number, index of the flags among its arguments)
    opening: tuple[tuple[int, int], ...]


# Numbers 424 and up are the same everywhere: pidfd_send_signal, io_uring_setup, open_tree, move_mount,
# fsopen, fsmount, fspick, pidfd_open, pidfd_getfd, mount_setattr.
_FORBIDDEN_EVERYWHERE = (424, 425, 428, 429, 430, 432, 433, 434, 438, 442)
_UNKNOWN_EVERYWHERE = (435, 437)  # clone3, openat2

_X86_64 = _Architecture(
    audit_number=0xC000003E,
    foreign_from=0x40000000,
    forbidden=(
        *(29, 64, 68, 240),  # shmget semget msgget mq_open
        *(41, 42, 43, 46, 47, 49, 50),  # socket connect accept sendmsg recvmsg bind listen
        *(53, 288, 299, 307),  # socketpair accept4 recvmmsg sendmmsg
        *(57, 58, 59, 322),  # fork vfork execve execveat
        *(
            62,
            101,
            129,
            297,
            310,
            311,
        ),  # kill ptrace rt_sigqueueinfo rt_tgsigqueueinfo process_vm_readv/writev
        *(
            76,
            *range(82, 96),
        ),  # truncate rename mkdir rmdir creat link unlink symlink readlink chmod… chown… umask
        *(
            132,
            133,
            235,
            280,
            161,
            165,
            166,
            155,
            272,
            308,
        ),  # utime mknod utimes utimensat chroot mount umount pivot unshare setns
        *range(258, 261),  # mkdirat mknodat fchownat
        *(263, 264, 265, 266, 268, 316),  # unlinkat renameat linkat symlinkat fchmodat renameat2
        *(
            248,
            249,
            250,
            298,
            300,
            304,
            321,
            323,
        ),  # add_key request_key keyctl perf fanotify open_by_handle bpf userfaultfd
        *(
            164,
            167,
            169,
            170,
            171,
            172,
            173,
            175,
            176,
            227,
            246,
            313,
        ),  # clocks, swap, reboot, names, ports, modules, kexec
    ),
    unknown=_UNKNOWN_EVERYWHERE,
    clone=56,
    opening=((2, 1), (257, 2)),
)
_ARM64 = _Architecture(
    audit_number=0xC00000B7,
    foreign_from=0,
    forbidden=(
        *range(33, 42),  # mknodat mkdirat unlinkat symlinkat linkat renameat umount2 mount pivot_root
        *(45, *range(51, 56), 88, 276),  # truncate chroot fchmod fchmodat fchownat fchown utimensat renameat2
        *(
            97,
            117,
            129,
            138,
            240,
            268,
            270,
            271,
        ),  # unshare ptrace kill rt_sigqueueinfo rt_tgsigqueueinfo setns process_vm…
        *(180, 186, 190, 194),  # mq_open msgget semget shmget
        *range(198, 204),  # socket socketpair bind listen accept connect
        *(211, 212, 242, 243, 269),  # sendmsg recvmsg accept4 recvmmsg sendmmsg
        *(217, 218, 219, 221, 281),  # add_key request_key keyctl execve execveat
        *(241, 262, 265, 280, 282),  # perf_event_open fanotify_init open_by_handle_at bpf userfaultfd
        *(104, 105, 106, 112, 142, 161, 162, 170, 224, 273),  # kexec, modules, clocks, reboot, names, swap
    ),
    unknown=_UNKNOWN_EVERYWHERE,
    clone=220,
    opening=((56, 2),),
)
_ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _ARM64, "arm64": _ARM64}


def forbid_system_calls() -> bool:
    """Install the filter for all threads to come. False on systems that have none. Needs no_new_privs set
    before.
    """
    architecture = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or architecture is None:
        return False
    program = _program(architecture)
    instructions = ctypes.create_string_buffer(b"".join(program), sum(map(len, program)))
    header = struct.pack("@HP", len(program), ctypes.addressof(instructions))
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, header, 0, 0) == 0)


def _program(architecture: _Architecture) -> list[bytes]:
    """The filter. Each check is self-contained: it jumps over its own return when it does not match."""
    refused = _instruction(_RETURN, _ERRNO | errno.EPERM)
    program = [
        _instruction(_LOAD, _OFFSET_ARCHITECTURE),
        _instruction(_JUMP_EQUAL, architecture.audit_number, 1, 0),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _OFFSET_NUMBER),
    ]
    if architecture.foreign_from:
        program += [_instruction(_JUMP_AT_LEAST, architecture.foreign_from, 0, 1), refused]
    for number in (*architecture.forbidden, *_FORBIDDEN_EVERYWHERE):
        program += [_instruction(_JUMP_EQUAL, number, 0, 1), refused]
    for number in architecture.unknown:
        program += [_instruction(_JUMP_EQUAL, number, 0, 1), _instruction(_RETURN, _ERRNO | errno.ENOSYS)]
    program += [
        _instruction(_JUMP_EQUAL, architecture.clone, 0, 4),
        _instruction(_LOAD, _OFFSET_ARGUMENTS),
        _instruction(_JUMP_ANY_BIT, _CLONE_THREAD, 1, 0),
        refused,
        _instruction(_RETURN, _ALLOW),
    ]
    for number, index in architecture.opening:
        program += [
            _instruction(_JUMP_EQUAL, number, 0, 4),
            _instruction(_LOAD, _OFFSET_ARGUMENTS + 8 * index),
            _instruction(_JUMP_ANY_BIT, _WRITING, 0, 1),
            refused,
            _instruction(_RETURN, _ALLOW),
        ]
    return [*program, _instruction(_RETURN, _ALLOW)]


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
