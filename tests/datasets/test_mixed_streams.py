import pytest
import torch

from unblur.datasets.mixed_streams import MixedStream, StreamPart
from unblur.datasets.scene_streams import BlurPart, SceneStream
from unblur.errors import SettingsError


class Numbered:
    """Samples that say which stream and which number they are."""

    paths = ("a photo",)

    def __init__(self, name: int) -> None:
        self.name = name

    def sample(self, index: int) -> dict[str, torch.Tensor]:
        return {"blurry": torch.tensor([self.name, index])}


def drawn(stream: MixedStream, count: int = 200) -> list[int]:
    return [int(stream.sample(index)["blurry"][0]) for index in range(count)]


def test_streams_are_drawn_by_their_shares():
    stream = MixedStream([StreamPart(Numbered(0), 3.0), StreamPart(Numbered(1), 1.0), StreamPart(Numbered(2), 0.0)])
    names = drawn(stream)
    assert 130 <= names.count(0) <= 170
    assert names.count(2) == 0
    assert int(stream.sample(7)["blurry"][1]) == 7
    assert stream.paths == ["a photo"] * 3


def test_a_sample_is_the_same_whenever_it_is_asked_for():
    parts = [StreamPart(Numbered(0)), StreamPart(Numbered(1))]
    assert drawn(MixedStream(parts)) == drawn(MixedStream(parts))[::-1][::-1]
    assert drawn(MixedStream(parts)) != drawn(MixedStream(parts, seed=1))


def test_scenes_of_two_encodings(make_photo):
    folder = str(make_photo("sharp/0.png", size=(60, 60), seed=1).parent)
    parts = [
        StreamPart(SceneStream([folder], [BlurPart("none")], size=32, encoding=encoding))
        for encoding in ("linear", "encoded")
    ]
    assert len(MixedStream(parts).paths) == 2
    assert MixedStream(parts).sample(3)["sharp"].shape == (3, 32, 32)


@pytest.mark.parametrize("shares", [(0.0, 0.0), (1.0, -1.0)])
def test_shares_must_be_positive_in_sum(shares):
    with pytest.raises(SettingsError, match="shares of a mixture"):
        MixedStream([StreamPart(Numbered(0), share) for share in shares])
