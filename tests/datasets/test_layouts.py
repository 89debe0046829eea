"""Every reader on a tiny tree in the layout of the real data set, and on trees that lack something."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import torch

import data_trees as trees
from unblur.datasets.kohler import kohler
from unblur.datasets.lai import lai_uniform
from unblur.datasets.pairing import match_trees, paired_folders
from unblur.datasets.photos import bsds500, coco, kodak, lai_real, photos_of, unpaired_folders
from unblur.datasets.realblur import pairs_from_list, realblur_j, realblur_r
from unblur.datasets.sequences import gopro, gopro_gamma, hide, reds
from unblur.errors import DataError, ShapeError
from unblur.images.files import write_image
from unblur.images.picture import Picture


def put(root: Path, *places: str, size: tuple[int, int] = (12, 16)) -> None:
    """Images of one pattern that differ from place to place by their grey."""
    for place in places:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        grey = sum(place.encode()) % 200
        write_image(Picture(np.full((*size, 3), grey, np.uint8), "rgb"), path)


def grey_of(image: torch.Tensor) -> int:
    return round(float(image[0, 0, 0, 0]) * 255)


def sums(places: Iterable[str]) -> list[int]:
    return [sum(place.encode()) % 200 for place in places]


def test_gopro_in_sequences(tmp_path):
    blurry = [f"test/{s}/blur/{n}.png" for s in ("GOPR1_00", "GOPR2_00") for n in ("000001", "000002")]
    put(tmp_path / "GOPRO_Large", *blurry, *(place.replace("/blur/", "/sharp/") for place in blurry))
    put(tmp_path / "GOPRO_Large", *(place.replace("/blur/", "/blur_gamma/") for place in blurry))
    pairs = gopro(tmp_path, count=4)
    assert pairs.names == ("GOPR1_00/000001", "GOPR1_00/000002", "GOPR2_00/000001", "GOPR2_00/000002")
    assert [grey_of(pair.blurry) for pair in pairs] == sums(blurry)
    assert [grey_of(pair.sharp) for pair in pairs] == sums(place.replace("/blur/", "/sharp/") for place in blurry)
    assert pairs[0].encoding == "linear"
    gamma = gopro_gamma(tmp_path / "GOPRO_Large", count=4)
    assert [grey_of(pair.blurry) for pair in gamma] == sums(p.replace("/blur/", "/blur_gamma/") for p in blurry)
    assert gamma[0].encoding == "encoded"
    with pytest.raises(DataError, match=r"expected 1111 pairs .*; found 4"):
        gopro(tmp_path)
    with pytest.raises(DataError, match="expected a folder 'train' with sequences"):
        gopro(tmp_path, "train")
    (tmp_path / "GOPRO_Large/test/GOPR2_00/sharp/000002.png").unlink()
    with pytest.raises(DataError, match="found none named '000002' for '000002"):
        gopro(tmp_path, count=4)


def test_gopro_and_hide_in_flat_folders(tmp_path):
    put(tmp_path / "gopro", *(f"test/{part}/{n}.png" for part in ("input", "target") for n in "ab"))
    assert gopro(tmp_path, count=2).names == ("a", "b")
    put(tmp_path / "HIDE", *(f"{part}/{n}.png" for part in ("input", "target") for n in "cd"))
    assert hide(tmp_path, count=2).names == ("c", "d")


def test_hide_in_its_official_tree(tmp_path):
    blurry = ["test/test-close-ups/1fromGOPR1.png", "test/test-long-shot/2fromGOPR1.png"]
    put(tmp_path / "hide", *blurry, "train/9.png", "GT/1fromGOPR1.png", "GT/2fromGOPR1.png", "GT/9.png")
    pairs = hide(tmp_path, count=2)
    assert pairs.names == ("test-close-ups/1fromGOPR1", "test-long-shot/2fromGOPR1")
    assert [grey_of(pair.sharp) for pair in pairs] == sums(["GT/1fromGOPR1.png", "GT/2fromGOPR1.png"])
    assert hide(tmp_path, "train", count=1).names == ("9",)


def test_reds_in_both_trees(tmp_path):
    official = tmp_path / "a/reds"
    put(official, *(f"val/val_{part}/{s}/00000000.png" for part in ("blur", "sharp") for s in ("000", "001")))
    assert reds(tmp_path / "a").names == ("000/00000000", "001/00000000")
    put(tmp_path / "b/REDS", *(f"{part}/000/00000001.png" for part in ("blur_imgs", "sharp_imgs")))
    assert reds(tmp_path / "b").names == ("000/00000001",)


def test_realblur_by_its_list(tmp_path):
    folder = tmp_path / "realblur"
    places = [(f"RealBlur-J/scene{n}/gt/gt_1.png", f"RealBlur-J/scene{n}/blur/blur_1.png") for n in (1, 2)]
    put(folder, *(place for pair in places for place in pair))
    lines = "".join(f"{gt} {blurry}\n" for gt, blurry in places)
    (folder / "RealBlur_J_test_list.txt").write_text(lines + "\n")
    pairs = realblur_j(tmp_path)
    assert [grey_of(pair.sharp) for pair in pairs] == sums(gt for gt, _ in places)
    assert [grey_of(pair.blurry) for pair in pairs] == sums(blurry for _, blurry in places)
    assert len(set(pairs.names)) == 2
    with pytest.raises(DataError, match=r"expected RealBlur_R_test_list\.txt or RealBlur_R .*; found neither"):
        realblur_r(tmp_path)
    put(folder, *(f"RealBlur_R/test/{part}/x.png" for part in ("input", "target")))
    assert realblur_r(tmp_path).names == ("x",)


@pytest.mark.parametrize(
    ("text", "message"),
    [("one.png\n", "on line 1"), ("a.png b.png\n", r"expected the file .*a\.png"), ("\n", "expected a pair")],
)
def test_a_list_that_is_none_is_told_in_one_sentence(tmp_path, text, message):
    (tmp_path / "list.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        pairs_from_list(tmp_path / "list.txt")


def test_a_missing_list_is_our_error(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        pairs_from_list(tmp_path / "list.txt")


def test_lai_with_kernels_where_there_are_any(tmp_path):
    blurry = [f"uniform/{c}_01_kernel_0{k}.png" for c in ("manmade", "text") for k in (1, 2, 3, 4)]
    put(tmp_path / "lai", *blurry, "ground_truth/manmade_01.png", "ground_truth/text_01.png")
    put(tmp_path / "lai", "kernel/kernel_02.png", size=(5, 7))
    pairs = lai_uniform(tmp_path, count=8)
    assert pairs.blurs == 4
    assert [grey_of(pair.sharp) for pair in pairs] == sums(
        f"ground_truth/{c}_01.png" for c in ("manmade", "text") for _ in range(4)
    )
    kernels = [pair.kernel for pair in pairs]
    assert [kernel is not None for kernel in kernels] == [False, True, False, False] * 2
    torch.testing.assert_close(kernels[1], torch.full((1, 1, 5, 7), 1 / 35))
    with pytest.raises(DataError, match=r"expected 100 pairs .*; found 8"):
        lai_uniform(tmp_path)


def test_kohler_has_the_whole_shake_as_truth(tmp_path):
    folder = tmp_path / "kohler"
    for i in range(1, 5):
        for j in range(1, 13):
            put(folder, f"Blurry{i}_{j}.png", *(f"Image{i}/Kernel{j}/GroundTruth{i}_{j}_{n}.png" for n in (1, 2, 10)))
    pairs = kohler(tmp_path)
    assert (len(pairs), pairs.blurs) == (48, 12)
    pair = pairs[13]
    assert pair.name == "Blurry2_2"
    views = [f"Image2/Kernel2/GroundTruth2_2_{n}.png" for n in (1, 2, 10)]
    assert [grey_of(view) for view in pair.views] == sums(views)
    torch.testing.assert_close(pair.sharp, pair.views[1], rtol=0, atol=0)
    (folder / "Blurry3_4.png").unlink()
    with pytest.raises(DataError, match=r"expected 48 files .*; found 47"):
        kohler(tmp_path)


def test_any_two_folders(tmp_path):
    put(tmp_path, "b/x.png", "b/deep/y.png", "s/x.bmp", "s/deep/y.png", "s/extra.png")
    (tmp_path / "b" / "notes.txt").write_text("no image")
    pairs = paired_folders(tmp_path / "b", tmp_path / "s")
    assert pairs.names == ("deep/y", "x")
    assert [grey_of(pair.sharp) for pair in pairs] == sums(["s/deep/y.png", "s/x.bmp"])
    with pytest.raises(DataError, match="expected a folder 'none' with images"):
        paired_folders(tmp_path / "b", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected images in .*empty.*; found none"):
        match_trees(tmp_path / "empty", tmp_path / "s")


def test_a_pair_of_two_sizes_is_told_when_it_is_read(tmp_path):
    put(tmp_path, "b/x.png")
    put(tmp_path, "s/x.png", size=(13, 16))
    pairs = paired_folders(tmp_path / "b", tmp_path / "s")
    with pytest.raises(ShapeError, match="got 16x12x3 and 16x13x3"):
        pairs[0]


def test_unpaired_folders_may_differ_in_length(tmp_path):
    put(tmp_path, "blur/1.png", "blur/2.png", "blur/3.png", "sharp/9.png")
    unpaired = unpaired_folders(tmp_path)
    assert (len(unpaired.blurry), len(unpaired.sharp)) == (3, 1)
    assert grey_of(unpaired.blurry[1]) == sums(["blur/2.png"])[0]
    assert [path.name for path in unpaired.blurry[1:].paths] == ["2.png", "3.png"]
    (tmp_path / "sharp/9.png").unlink()
    with pytest.raises(DataError, match=r"expected images in .*sharp"):
        unpaired_folders(tmp_path)


def test_photo_sets(tmp_path):
    put(tmp_path / "BSR/BSDS500/data/images", "train/1.jpg", "val/2.jpg")
    put(tmp_path / "coco", "val2017/3.jpg")
    put(tmp_path / "kodak", *(f"kodim{n:02d}.png" for n in range(1, 25)))
    put(tmp_path / "lai/real", "4.jpg", "5.jpg")
    assert [path.name for path in bsds500(tmp_path, "val").paths] == ["2.jpg"]
    assert len(coco(tmp_path, "val2017")) == 1
    assert len(kodak(tmp_path)) == 24
    assert len(lai_real(tmp_path)) == 2
    (tmp_path / "kodak/kodim07.png").unlink()
    with pytest.raises(DataError, match=r"expected 24 files .*; found 23"):
        kodak(tmp_path)
    with pytest.raises(DataError, match="expected a folder 'test' with images"):
        bsds500(tmp_path, "test")


def test_a_photo_is_read_as_it_is_stored(tmp_path):
    trees.save(tmp_path / "p.png", trees.photo(10, 11, 1, 0))
    [photo] = photos_of(tmp_path)
    assert photo.shape == (1, 1, 10, 11)
    torch.testing.assert_close((photo[0, 0] * 255).byte(), torch.from_numpy(trees.photo(10, 11, 1, 0)[..., 0]))
