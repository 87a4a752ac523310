"""Landlock: the kernel refuses this process every file outside a few folders. Linux 5.13 and later; none of
it elsewhere.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence

# The same on every architecture (include/uapi/linux/landlock.h, asm-generic/unistd.h).
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_READ_FILE, _READ_DIRECTORY = 1 << 2, 1 << 3
#: Number of access rights that each version of the interface knows of, from version 1.
_RIGHTS_BY_VERSION = (13, 14, 15, 15, 16)


def allow_reading_only(folders: Sequence[str]) -> bool:
    """From now on only files under `folders` can be opened, and only for reading. False where there is no
    Landlock.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    if version < 1:
        return False
    rights = (1 << _RIGHTS_BY_VERSION[min(version, len(_RIGHTS_BY_VERSION)) - 1]) - 1
    attributes = struct.pack("=Q", rights)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    if ruleset < 0:
        return False
    try:
        for folder in folders:
            _allow_reading(libc, ruleset, folder)
        return bool(libc.syscall(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0)) == 0)
    finally:
        os.close(ruleset)


def _allow_reading(libc: ctypes.CDLL, ruleset: int, folder: str) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIRECTORY, descriptor)
        done = libc.syscall(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0))
        if done != 0:
            raise OSError(ctypes.get_errno(), f"Landlock did not take {folder}")
    finally:
        os.close(descriptor)
