"""The decoding process can read files and compute, and nothing else."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

import hostile
from unblur.images.decoder import decoder
from unblur.images.files import read_image

ATTEMPTS = """
import errno, os, signal, socket, subprocess, sys, threading
from unblur.system.confinement import confine

folder, parent = sys.argv[1], os.getppid()
there = os.path.join(folder, "there")
print("effect", *sorted(confine()))

def attempt(name, call):
    try:
        call()
        print(name, "done")
    except OSError as error:
        print(name, errno.errorcode[error.errno])

attempt("write", lambda: open(there, "r+b"))
attempt("make", lambda: open(os.path.join(folder, "new"), "wb"))
attempt("cut", lambda: os.truncate(there, 0))
attempt("remove", lambda: os.unlink(there))
attempt("rename", lambda: os.rename(there, there + "2"))
attempt("folder", lambda: os.mkdir(os.path.join(folder, "new")))
attempt("link", lambda: os.symlink(there, there + "3"))
attempt("socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("local", lambda: socket.socket(socket.AF_UNIX))
attempt("fork", lambda: os.fork())
attempt("run", lambda: os.execv("/bin/true", ["true"]))
attempt("program", lambda: subprocess.run(["/bin/true"], close_fds=False))
attempt("signal", lambda: os.kill(parent, signal.SIGTERM))
attempt("files", lambda: [os.dup(0) for _ in range(200)])
os.closerange(3, 128)
attempt("read", lambda: open(there, "rb").read())
attempt("memory", lambda: os.write(os.memfd_create("m"), b"some"))
attempt("thread", lambda: threading.Thread(target=len, args=("",)).start())
"""


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for this processor")
def test_what_is_given_up_and_what_is_left(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"kept")
    ran = subprocess.run(
        [sys.executable, "-c", ATTEMPTS, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    effect, *outcomes = (line.split() for line in ran.stdout.splitlines())
    told = dict(outcomes)
    assert [told.pop(name) for name in ("read", "memory", "thread")] == ["done"] * 3, ran.stderr
    assert told.pop("files") == "EMFILE"
    assert "calls" in effect or not Path("/proc/sys/kernel/seccomp").exists()
    of_landlock = {"write", "make", "cut", "remove", "rename", "folder", "link"}
    for name, outcome in told.items():
        if ("files" if name in of_landlock else "calls") in effect:
            assert outcome in {"EPERM", "EACCES", "EXDEV"}, name
    if "files" in effect:
        assert [path.name for path in tmp_path.iterdir()] == ["there"]
        assert (tmp_path / "there").read_bytes() == b"kept"


def test_decoder_is_confined() -> None:
    read_image(hostile.seeds()["rgba.png"])
    state = dict(line.split(":", 1) for line in Path(f"/proc/{decoder.pid}/status").read_text().splitlines())
    assert state["NoNewPrivs"].strip() == "1"
    if platform.machine() in {"x86_64", "aarch64"} and "Seccomp_filters" in state:
        assert state["Seccomp"].strip() == "2"
