"""The child of `sandbox.Sandbox`: takes calls from its standard input, one at a time, and answers on its standard output.

A message is its length (8 bytes, big-endian) and a pickle. Standard output is moved away first, because C libraries print there.
"""

from __future__ import annotations

import ctypes
import errno
import math
import os
import pickle
import resource
import signal
import struct
import sys
from typing import IO, Any

from archive.errors import ArchiveError, DecodeError, DiskFull, MissingToolError

_HEADER = struct.Struct(">Q")
_PR_SET_PDEATHSIG = 1
_channel: IO[bytes] | None = None


def report(value: Any) -> None:
    """Tell the parent how far this job is; does nothing outside a sandbox."""
    if _channel is not None:
        _send(_channel, ("progress", value))


def die_with_parent() -> None:
    """Ask the kernel to kill this process when the thread that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Serve calls until standard input ends. Arguments: memory in MiB, process id of the parent."""
    global _channel
    memory, parent = int(sys.argv[1]) << 20, int(sys.argv[2])
    die_with_parent()
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)
    calls, _channel = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        header = calls.read(_HEADER.size)
        if len(header) < _HEADER.size:
            return
        data = calls.read(_HEADER.unpack(header)[0])
        _send(_channel, _answer(data))


def _send(channel: IO[bytes], message: tuple[Any, ...]) -> None:
    data = pickle.dumps(message)
    channel.write(_HEADER.pack(len(data)) + data)
    channel.flush()


def _answer(data: bytes) -> tuple[Any, ...]:
    os.ftruncate(2, 0)
    try:
        function, args, seconds = pickle.loads(data)
        _arm(seconds)
        return ("result", function(*args))
    except DecodeError as error:
        return ("fault", error.code, str(error))
    except MissingToolError as error:
        return ("tool", error.tool, str(error))
    except DiskFull as error:
        return ("full", str(error))
    except ArchiveError as error:
        return ("archive", str(error))
    except MemoryError:
        return ("fault", "memory", "more memory needed than a file may have")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return ("full", f"{error.filename or ''}: {error.strerror}")
        if error.errno == errno.ENOMEM:
            return ("fault", "memory", str(error))
        return ("fault", "crash", f"{type(error).__name__}: {error}")
    except Exception as error:  # the outermost loop of a worker: whatever a decoder raises is a fault of this file
        return ("fault", "crash", f"{type(error).__name__}: {error}"[:500])
    finally:
        _arm(math.inf)


def _arm(seconds: float) -> None:
    """Let this process use `seconds` of CPU from now on; the kernel ends it beyond."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = resource.RLIM_INFINITY if seconds == math.inf else math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
