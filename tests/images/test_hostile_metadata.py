"""Metadata of whatever size and shape cost this process, which has no limits of its own, next to nothing."""

import json
import subprocess
import sys
from pathlib import Path

MEASURED = """
import json, time
from pathlib import Path
import hostile
from hostile_metadata import files_with_hostile_metadata
from unblur.errors import UnblurError
from unblur.images.decoder import decoder
from unblur.images.files import encode_image, read_image
from unblur.images.limits import Limits
from unblur.images.streams import split_images
from unblur.system.memory import peak_mb, restart_peak

FORMATS = ("jpeg", "png", "tiff", "webp", "avif", "bmp")

def of_worker():
    fields = Path(f"/proc/{decoder.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100

def use(path):
    with path.open("rb") as file:
        assert sum(1 for _ in split_images(file, Limits())) == 1
    try:
        picture = read_image(path)
        return [(kind, encode_image(picture, kind)[1]) for kind in FORMATS] and ""
    except UnblurError as error:
        return str(error)

path = Path("photo")
path.write_bytes(hostile.seeds()["rgba.png"])
use(path)  # what the libraries themselves need
for name, data in files_with_hostile_metadata():
    path.write_bytes(data)
    del data
    restart_peak()
    memory, seconds, seconds_of_worker, worker = peak_mb(), time.process_time(), of_worker(), decoder.pid
    sentence = use(path)
    used = of_worker() - seconds_of_worker if decoder.pid == worker else None
    print(json.dumps([name, sentence, time.process_time() - seconds, peak_mb() - memory, used]))
"""


def test_hostile_metadata_cost_little(tmp_path: Path) -> None:
    here = Path(__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": f"{here}:{here.parent / 'src'}", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    measured = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(measured) > 50
    for name, sentence, seconds, megabytes, seconds_of_worker in measured:
        assert sentence.isprintable()
        assert len(sentence) < 300, name
        assert "damaged" in sentence or "memory" in sentence or not sentence, (name, sentence)
        assert seconds < 1.5, name
        assert megabytes < 200, name
        assert seconds_of_worker is not None, f"{name} ended the worker"
        assert seconds_of_worker < 2.5, name
