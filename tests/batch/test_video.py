"""Video as the site describes it: frame by frame through ffmpeg's pipes, with the real ffmpeg."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "formats.md"
FRAMES = 6

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("ffmpeg") and shutil.which("ffprobe")), reason="no ffmpeg"),
]


def described_pipe() -> str:
    """The line of the page, with a method that takes no time."""
    (line,) = re.findall(r"^(ffmpeg -i in\.mp4.*?out\.mp4)$", PAGE.read_text(), flags=re.MULTILINE | re.DOTALL)
    assert "--method neurmap" in line
    return line.replace("--method neurmap", "--method input")


def streams_of(video: Path) -> dict[str, dict[str, str]]:
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", str(video)],
        capture_output=True,
        check=True,
    )
    return {stream["codec_type"]: stream for stream in json.loads(shown.stdout)["streams"]}


def test_every_frame_comes_back_with_the_sound(tmp_path):
    sources = ["-f", "lavfi", "-i", f"testsrc=size=64x48:rate=25:duration={FRAMES / 25}", "-f", "lavfi", "-i"]
    made = ["ffmpeg", "-v", "error", *sources, f"sine=duration={FRAMES / 25}", "-pix_fmt", "yuv420p", "in.mp4"]
    subprocess.run(made, cwd=tmp_path, check=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    line = described_pipe().replace("unblur", f"{sys.executable} -m unblur")
    subprocess.run(
        ["bash", "-ec", f"set -o pipefail; {line}"], cwd=tmp_path, check=True, env={**os.environ, "PATH": path}
    )
    given, restored = streams_of(tmp_path / "in.mp4"), streams_of(tmp_path / "out.mp4")
    assert restored["video"]["nb_read_frames"] == given["video"]["nb_read_frames"] == str(FRAMES)
    assert (restored["video"]["width"], restored["video"]["height"]) == (64, 48)
    assert restored["audio"]["codec_name"] == given["audio"]["codec_name"]
