import pytest
import torch

from unblur.blur.motion_fields import blur_by_motion_field
from unblur.datasets.blur_settings import MotionFieldBlur
from unblur.datasets.scene_streams import BlurPart, PairCropStream, SceneStream
from unblur.errors import DataError, SettingsError
from unblur.images.tensors import srgb_to_linear


@pytest.fixture
def photos(make_photo):
    for seed in range(3):
        make_photo(f"photos/{seed}.png", size=(160, 120), seed=seed)
    return str(make_photo("photos/3.png", size=(120, 160), seed=3).parent)


def stream_of(photos: str, *parts: BlurPart, **more) -> SceneStream:
    return SceneStream([photos], parts or [BlurPart("shake", blur={"kernel_size": 9})], size=32, **more)


def same(one, other) -> bool:
    return all(torch.equal(one[name], other[name]) for name in ("blurry", "sharp"))


def test_a_sample_is_the_same_whenever_it_is_asked_for(photos):
    first, second = stream_of(photos), stream_of(photos)
    in_order = [first.sample(index) for index in range(4)]
    assert same(second.sample(3), in_order[3])
    assert same(second.sample(0), in_order[0])
    assert not same(in_order[0], in_order[1])
    assert not same(stream_of(photos, seed=1).sample(0), in_order[0])


def test_samples_are_blurry_and_sharp_crops(photos):
    sample = stream_of(photos, BlurPart("dynamic", blur={"steps": 9})).sample(0)
    assert sample["blurry"].shape == sample["sharp"].shape == (3, 32, 32)
    assert 0 <= sample["blurry"].min() <= sample["blurry"].max() <= 1
    assert not torch.equal(sample["blurry"], sample["sharp"])


def test_shares_are_kept(photos):
    parts = [BlurPart("none", 1.0), BlurPart("shake", 3.0, {"kernel_size": 9})]
    stream = stream_of(photos, *parts, noise_share=0.0)
    sharp = sum(torch.equal(sample["blurry"], sample["sharp"]) for sample in map(stream.sample, range(200)))
    assert 30 <= sharp <= 70


def test_sharp_samples_may_be_noisy(photos):
    sample = stream_of(photos, BlurPart("none"), noise_share=1.0, photons=(500.0, 500.0)).sample(0)
    difference = (sample["blurry"] - sample["sharp"]).std()
    assert 0.005 < difference < 0.1


def test_enlarged_photos_are_softer(photos):
    def roughness(**more) -> float:
        stream = stream_of(photos, BlurPart("none"), noise_share=0.0, **more)
        return sum(float(stream.sample(index)["sharp"].diff(dim=-1).abs().mean()) for index in range(20))

    assert roughness(enlarged=(2.0, 2.0)) < 0.8 * roughness()
    with pytest.raises(SettingsError, match="factors from 1 on"):
        stream_of(photos, enlarged=(2.0, 1.5))


def test_frames_are_averaged(photos, make_photo):
    for number in range(5):
        make_photo(f"frames/{number}.png", size=(48, 40), seed=7)
    frames = str(make_photo("frames/5.png", size=(48, 40), seed=7).parent)
    sample = stream_of(photos, BlurPart("frames", blur={"count": 3}), frames=frames).sample(0)
    assert torch.allclose(sample["blurry"], sample["sharp"], atol=1e-5), "the mean of equal frames is each of them"
    with pytest.raises(DataError, match="an exposure is made of 9"):
        stream_of(photos, BlurPart("frames", blur={"count": 9}), frames=frames).sample(0)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([BlurPart("fog")], "no kind of blur named 'fog'"),
        ([BlurPart("shake", blur={"fog": 1})], "cannot be made of these settings: fog"),
        ([BlurPart("none", 0.0)], "not all 0"),
        ([BlurPart("none", -1.0), BlurPart("shake", 2.0)], "0 or more"),
    ],
)
def test_mixtures_that_cannot_be_made(photos, parts, message):
    with pytest.raises(SettingsError, match=message):
        stream_of(photos, *parts)


def test_lines_explain_the_blur_after_every_turn(photos):
    parts = [BlurPart("linear", 1, {"kernel_size": 15, "length_min": 9, "length_max": 11})]
    stream = SceneStream([photos], parts, size=64, noise_share=0.0, lines=True)
    for sample in (stream.sample(index) for index in range(8)):
        blurry, sharp, lines = (srgb_to_linear(sample[name]) if name != "lines" else sample[name] for name in sample)
        assert lines.shape == (2, 64, 64)
        again = blur_by_motion_field(sharp[None], lines[None])[0]
        across = blur_by_motion_field(sharp[None], torch.stack((-lines[1], lines[0]))[None])[0]
        inside = (..., slice(8, -8), slice(8, -8))
        error, other = ((image - blurry)[inside].square().mean() for image in (again, across))
        assert error < 1e-4
        assert error < 0.1 * other


def test_a_partner_is_another_photo_under_the_same_blur(photos):
    parts = [BlurPart("linear", 1, {"kernel_size": 15, "length_min": 9, "length_max": 11})]
    stream = SceneStream([photos], parts, size=64, noise_share=0.0, lines=True, partners=True)
    shown = 0
    for index in range(6):
        sample = stream.sample(index)
        assert set(sample) == {"blurry", "sharp", "other_blurry", "other_sharp", "lines"}
        if torch.equal(sample["other_sharp"], sample["sharp"]):  # the same photo was drawn twice
            continue
        shown += 1
        blurry, sharp = (srgb_to_linear(sample[f"other_{name}"]) for name in ("blurry", "sharp"))
        again = blur_by_motion_field(sharp[None], sample["lines"][None])[0]
        inside = (..., slice(8, -8), slice(8, -8))
        assert (again - blurry)[inside].square().mean() < 1e-4
        assert (sharp - blurry)[inside].square().mean() > 1e-3
    assert shown > 2


def test_blur_that_no_partner_can_have(photos):
    with pytest.raises(SettingsError, match="none cannot be given to a partner"):
        stream_of(photos, BlurPart("none"), partners=True)


def test_sharp_samples_have_lines_of_no_length(photos):
    assert not stream_of(photos, BlurPart("none"), lines=True).sample(0)["lines"].any()
    with pytest.raises(SettingsError, match="shake has no line for each pixel; kinds that have: linear"):
        stream_of(photos, lines=True)


def test_settings_reach_the_blur(photos):
    stream = stream_of(photos, BlurPart("motion-field", blur={"strength": "mild"}))
    assert stream.parts[0][1] == MotionFieldBlur("mild")


def test_crops_of_true_pairs(data_folder):
    stream = PairCropStream("dublid-bsds", root=str(data_folder), size=24, seed=1)
    sample = stream.sample(5)
    assert sample["blurry"].shape == sample["sharp"].shape == (3, 24, 24)
    assert same(sample, stream.sample(5))
    assert not same(sample, stream.sample(6))
    assert (sample["blurry"] - sample["sharp"]).abs().mean() < 0.2, "both are cropped and mirrored alike"


def test_crops_are_transposed_in_half_of_the_samples(data_folder):
    plain, turned = (
        PairCropStream("dublid-bsds", root=str(data_folder), size=24, transpose=transpose)
        for transpose in (False, True)
    )
    kinds = []
    for index in range(12):
        before, after = plain.sample(index), turned.sample(index)
        kinds.append(not same(before, after))
        expected = {name: image.mT for name, image in before.items()} if kinds[-1] else before
        assert same(expected, after)
    assert {True, False} == set(kinds)


def test_pairs_that_are_left_out_are_never_drawn(data_folder):
    names = PairCropStream("dublid-bsds", root=str(data_folder)).pairs.names
    stream = PairCropStream("dublid-bsds", root=str(data_folder), size=24, leave_out=names[1:])
    assert stream.places == [0]
    with pytest.raises(DataError, match="no pair of dublid-bsds is left"):
        PairCropStream("dublid-bsds", root=str(data_folder), leave_out=[""])
