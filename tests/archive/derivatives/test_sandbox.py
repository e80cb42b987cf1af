"""A file that crashes, hangs or outgrows its limits costs that file only."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive.derivatives import sandbox as sandbox_module
from archive.derivatives.sandbox import Sandbox
from archive.derivatives.sandbox_child import report
from archive.errors import DecodeError, DiskFull, MissingToolError


def double(number: int) -> int:
    return number * 2


def do(what: str) -> str:
    if what == "segfault":
        ctypes.string_at(0)
    if what == "loop":
        while True:
            pass
    if what == "sleep":
        time.sleep(60)
    if what == "allocate":
        return str(len(bytearray(8 << 30)))
    if what == "encrypted":
        raise DecodeError("encrypted", "a password is needed")
    if what == "bug":
        raise ValueError("no such thing")
    if what == "exit":
        os._exit(3)
    return what


def lack_tool() -> None:
    raise MissingToolError("ffmpeg", "install it")


def fill_disk() -> None:
    raise OSError(28, "No space left on device", "/x")


def spawn_sleeper(note: str) -> None:
    process = subprocess.Popen(["sleep", "120"])
    Path(note).write_text(str(process.pid))
    process.wait()


def tell(steps: int) -> int:
    for step in range(steps):
        report(step)
    return steps


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_dead(pid: int) -> bool:
    for _ in range(100):
        if not alive(pid):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("segfault", "crash"),
        ("loop", "timeout"),
        ("sleep", "timeout"),
        ("allocate", "memory"),
        ("encrypted", "encrypted"),
        ("bug", "crash"),
        ("exit", "crash"),
    ],
)
def test_a_bad_job_is_a_decode_error_and_the_next_one_works(what: str, code: str) -> None:
    with Sandbox(1, 1024, 0.5) as sandbox:
        with pytest.raises(DecodeError) as caught:
            sandbox.run(do, what)
        assert caught.value.code == code
        assert sandbox.run(do, "fine") == "fine"


def test_a_crash_costs_no_innocent_job() -> None:
    jobs = ["a", "segfault", "b", "exit", "c", "encrypted", "d", "e", "f"]
    with Sandbox(2, 1024, 5) as sandbox:
        results = dict(sandbox.map(do, ((job,) for job in jobs)))
    assert {job[0]: result for job, result in results.items() if isinstance(result, str)} == {job: job for job in "abcdef"}
    assert {job[0] for job, result in results.items() if isinstance(result, DecodeError)} == {"segfault", "exit", "encrypted"}


def test_children_are_used_again() -> None:
    with Sandbox(1, 1024, 5) as sandbox:
        assert sandbox.run(os.getpid) == sandbox.run(os.getpid) != os.getpid()


def test_cpu_is_counted_for_each_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "WALL_FACTOR", 600)  # the wall is not what is measured, and the machine may be busy
    with Sandbox(1, 1024, 1) as sandbox:
        child = sandbox.run(os.getpid)
        for _ in range(5):  # together more than one job may use, even with the second that the kernel's count is rounded up by
            assert sandbox.run(do, "fine", seconds=0.05) == "fine"
            sandbox.run(burn, 0.7)
        assert sandbox.run(os.getpid) == child


def burn(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_call_inside_a_loop_over_map_works() -> None:
    with Sandbox(1, 1024, 5) as sandbox:
        found = [(args, result, sandbox.run(double, result)) for args, result in sandbox.map(double, ((n,) for n in range(4)))]
    assert found == [((n,), 2 * n, 4 * n) for n in range(4)]


def large(size: int, after: str) -> bytes:
    """Many bytes, once a file is there."""
    while after and not Path(after).exists():
        time.sleep(0.01)
    return bytes(size)


def test_a_large_answer_is_not_late_because_we_were_busy(tmp_path: Path) -> None:
    busy = tmp_path / "busy"
    with Sandbox(2, 1024, 2) as sandbox:
        answers = []
        for args, result in sandbox.map(large, [(1, ""), (20 << 20, str(busy))]):
            if args[0] == 1:
                busy.touch()
                time.sleep(8.5)  # beyond the wall time of the other, which cannot get rid of its answer meanwhile
            answers.append(result if isinstance(result, DecodeError) else len(result))
    assert answers == [1, 20 << 20]


def test_nothing_is_imported_from_the_folder_we_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ctypes.py").write_text("raise SystemExit('donor code ran')")
    (tmp_path / "struct.py").write_text("raise SystemExit('donor code ran')")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.chdir(tmp_path)
    with Sandbox(1, 1024, 5) as sandbox:
        assert sandbox.run(double, 4) == 8


def test_faults_of_the_machine_are_raised_as_what_they_are() -> None:
    with Sandbox(1, 1024, 5) as sandbox:
        with pytest.raises(MissingToolError) as caught:
            list(sandbox.map(lack_tool, [()]))
        assert caught.value.tool == "ffmpeg"
        with pytest.raises(DiskFull):
            sandbox.run(fill_disk)


def test_progress_reaches_the_parent() -> None:
    seen = []
    with Sandbox(1, 1024, 5, on_progress=lambda args, value: seen.append((args, value))) as sandbox:
        assert sandbox.run(tell, 3) == 3
    assert seen == [((3,), 0), ((3,), 1), ((3,), 2)]


def test_a_timeout_takes_the_programs_a_job_started_along(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    with Sandbox(1, 1024, 0.5) as sandbox, pytest.raises(DecodeError):
        sandbox.run(spawn_sleeper, str(note))
    assert wait_until_dead(int(note.read_text()))


def test_children_die_with_a_killed_parent(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    program = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from archive.derivatives import sandbox as sandbox_module
from archive.derivatives.sandbox import Sandbox
from test_sandbox import write_pid_and_sleep
with Sandbox(1, 1024, 60) as sandbox:
    sandbox.run(write_pid_and_sleep, {str(note)!r})
"""
    process = subprocess.Popen([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    for _ in range(200):
        if note.exists() and note.read_text():
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert wait_until_dead(int(note.read_text()))


def write_pid_and_sleep(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    time.sleep(60)
