from pathlib import Path

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.blur.convolve import convolve
from unblur.blur.kernels import check_kernel
from unblur.datasets.dublid import dublid_bsds
from unblur.datasets.folders import find_folder, find_root
from unblur.datasets.levin import levin
from unblur.datasets.pair_list import read_pair_list
from unblur.datasets.pairs import PairedSet, choose, spread
from unblur.datasets.sun import NOISE_SIGMA, sun
from unblur.errors import DataError, ReadError, UsageError
from unblur.metrics.psnr import psnr
from unblur.metrics.score import score


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    trees.levin_tree(folder)
    trees.dublid_tree(folder)
    trees.sun_tree(folder)
    return folder


@pytest.mark.parametrize(
    ("open_set", "count", "blurs", "channels"), [(levin, 32, 8, 1), (dublid_bsds, 160, 4, 3), (sun, 320, 8, 3)]
)
def test_convention_a_pair_is_two_images_of_one_shape_and_the_kernel_between_them(
    root, open_set, count, blurs, channels
):
    pairs = open_set(root)
    assert (len(pairs), pairs.blurs) == (count, blurs)
    assert len(set(pairs.names)) == count
    for index in (0, blurs + 1, count - 1):
        pair = pairs[index]
        assert pair.name == pairs.names[index]
        assert pair.blurry.shape == pair.sharp.shape
        assert pair.blurry.shape[:2] == (1, channels)
        assert pair.blurry.dtype == pair.sharp.dtype == torch.float32
        assert 0 <= pair.blurry.min() <= pair.blurry.max() <= 1
        check_kernel(pair.kernel)
        assert pair.encoding == "encoded"
        reblurred = convolve(pair.sharp, pair.kernel, "valid")
        margin = [side // 2 for side in pair.kernel.shape[-2:]]
        inside = pair.blurry[..., margin[0] : -margin[0], margin[1] : -margin[1]]
        assert psnr(reblurred, inside, data_range=1.0).item() > (39 if open_set is sun else 50)


def test_sun_has_its_noise_and_always_the_same(root):
    pairs = sun(root)
    first, again, other = pairs[9], pairs[9], pairs[10]
    torch.testing.assert_close(first.blurry, again.blurry, rtol=0, atol=0)
    assert first.blurry.shape != other.blurry.shape
    kernel = first.kernel
    noise = first.blurry[..., 8:-8, 8:-8] - convolve(first.sharp, kernel, "valid")
    assert noise.std().item() == pytest.approx(NOISE_SIGMA, rel=0.1)


@pytest.mark.parametrize("limit", [1, 4, 8, 12, 40, 41, 100, 319])
def test_a_few_pairs_are_spread_over_images_and_blurs(root, limit):
    pairs = sun(root)
    chosen = spread(pairs, limit)
    assert len(set(chosen)) == limit
    images, kernels = {i // 8 for i in chosen}, [i % 8 for i in chosen]
    assert len(images) == min(limit, 40)
    counts = [kernels.count(k) for k in range(8)]
    assert max(counts) - min(counts) <= 1


def test_no_limit_means_all(root):
    pairs = levin(root)
    assert spread(pairs, None) == spread(pairs, 32) == spread(pairs, 999) == list(range(32))


def test_pairs_are_chosen_by_name(root):
    pairs = levin(root)

    def names(*wishes):
        return [pairs.names[place] for place in choose(pairs, *wishes)]

    assert names(None, "im?_kernel[25]") == [f"im{image}_kernel{blur}" for image in range(1, 5) for blur in (2, 5)]
    assert names(None, "im4_*, im2_kernel3") == ["im2_kernel3", *(f"im4_kernel{blur}" for blur in range(1, 9))]
    assert names(2, "im?_kernel[25]") == ["im1_kernel2", "im3_kernel2"]
    assert choose(pairs, 4) == spread(pairs, 4)
    for unknown in ("im9_*", "im1_*,", ""):
        with pytest.raises(UsageError, match="no pair has a name like"):
            choose(pairs, None, unknown)


def test_a_set_is_read_pair_by_pair(root):
    pairs = levin(root)
    assert isinstance(pairs[3:5], PairedSet)
    assert pairs[3:5].names == ("im1_kernel4", "im1_kernel5")
    assert [pair.name for pair in pairs[:2]] == ["im1_kernel1", "im1_kernel2"]
    with pytest.raises(IndexError):
        pairs[32]


def test_an_incomplete_folder_is_told_in_one_sentence(tmp_path):
    with pytest.raises(DataError, match="expected a folder 'levin' in"):
        levin(tmp_path)
    trees.levin_tree(tmp_path)
    (tmp_path / "levin" / "blurred" / "im2_kernel3_img.png").unlink()
    with pytest.raises(DataError, match=r"expected 32 pairs .*; found 31"):
        levin(tmp_path)


def test_kernels_that_are_none_are_told_in_one_sentence(tmp_path):
    trees.levin_tree(tmp_path)
    place = tmp_path / "levin" / "levin_kernels_float.npz"
    np.savez(place, k1=np.ones((3, 3)))
    with pytest.raises(DataError, match="with the arrays k1, k2"):
        levin(tmp_path)
    for garbage in (b"", b"PK\x03\x04 no archive", b"version https://git-lfs"):
        place.write_bytes(garbage)
        with pytest.raises(DataError, match=r"expected an \.npz file"):
            levin(tmp_path)


def test_the_root_is_the_one_given_else_the_variable_else_the_local_folder(tmp_path, monkeypatch):
    given, named, working = (tmp_path / name for name in ("given", "named", "a/working"))
    for folder in (given, named, working / "data"):
        folder.mkdir(parents=True)
    monkeypatch.chdir(working)
    monkeypatch.setenv("UNBLUR_DATA", str(named))
    assert find_root(given) == given
    assert find_root(None) == named
    monkeypatch.delenv("UNBLUR_DATA")
    assert find_root(None).resolve() == working / "data"
    with pytest.raises(DataError, match="no data folder"):
        find_root(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="UNBLUR_DATA"):
        find_root(None)


def test_local_data_folders_of_recipes_are_also_found_below_the_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("shared/train/photos", "own"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setenv("UNBLUR_DATA", str(tmp_path / "shared"))
    assert find_folder("data/train/photos") == tmp_path / "shared/train/photos"
    assert find_folder("own") == Path("own")
    with pytest.raises(DataError, match=r"there is no folder 'data/train/others'; .*UNBLUR_DATA"):
        find_folder("data/train/others")
    with pytest.raises(DataError, match=r"there is no folder 'train/photos'$"):
        find_folder("train/photos")
    (tmp_path / "data/train/photos").mkdir(parents=True)
    assert find_folder("data/train/photos") == Path("data/train/photos")


def test_a_table_lists_pairs_with_and_without_kernel(tmp_path):
    sharp = trees.photo(40, 50, 3, 0)
    for name in ("b.png", "s.png"):
        trees.save(tmp_path / "images" / name, sharp)
    np.save(tmp_path / "k.npy", np.ones((3, 5)))
    table = tmp_path / "pairs.csv"
    table.write_text("kernel,sharp,blurry\nk.npy,images/s.png,images/b.png\n,images/s.png,images/b.png\n")
    with_kernel, without = read_pair_list(table)
    assert with_kernel.name == "images/b.png"
    assert with_kernel.sharp.shape == (1, 3, 40, 50)
    torch.testing.assert_close(with_kernel.kernel, torch.full((1, 1, 3, 5), 1 / 15))
    assert without.kernel is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begin with the names of its columns, blurry,sharp .*found an empty file"),
        (b"gt,lq\na,b\n", "found 'gt,lq'"),
        (b"g" * 100_000, "found 'g{79}…'"),
        (b"blurry,sharp\n" + b"a" * 200_000, "is no CSV file"),
        (b"blurry,sharp\n", "has no pairs"),
        (b"blurry,sharp\na.png\n", "pair 1 .*lacks"),
        (b"blurry,sharp\n\xff\xfe,b\n", "is no CSV file"),
    ],
)
def test_a_table_that_is_none_is_told_in_one_sentence(tmp_path, content, message):
    table = tmp_path / "pairs.csv"
    table.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_pair_list(table)


def test_a_missing_table_or_image_is_our_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_pair_list(tmp_path / "none.csv")
    table = tmp_path / "pairs.csv"
    table.write_text("blurry,sharp\na.png,b.png\n")
    pairs = read_pair_list(table)
    with pytest.raises(ReadError, match=r"a\.png: "):
        pairs[0]


def test_levin_inputs_score_as_published_implementations_do(data_folder):
    scores = [score(pair.blurry, pair.sharp, "shift") for pair in levin(data_folder)]
    values = torch.cat([s.psnr for s in scores])
    assert values.mean().item() == pytest.approx(23.25, abs=0.05)
    assert torch.cat([s.ssim for s in scores]).mean().item() == pytest.approx(0.699, abs=0.001)
    per_kernel = [24.11, 22.89, 26.48, 19.96, 27.05, 23.80, 21.23, 20.46]
    assert values.view(4, 8).mean(0).tolist() == pytest.approx(per_kernel, abs=0.02)


@pytest.mark.parametrize(("open_set", "least"), [(levin, 40), (dublid_bsds, 50), (sun, 38)])
def test_true_kernels_explain_the_blurry_images(data_folder, open_set, least):
    pairs = open_set(data_folder)
    for index in spread(pairs, 8):
        pair = pairs[index]
        assert score(convolve(pair.sharp, pair.kernel, "replicate"), pair.blurry, "shift").psnr.item() > least
