import subprocess
import sys
from importlib import import_module

import pytest

import data_trees as trees
from unblur.datasets import datasets, find_dataset, open_dataset, open_photos
from unblur.datasets.folders import need_files
from unblur.datasets.verify import verify_dataset
from unblur.errors import DataError, UsageError
from unblur.metrics.protocols import PROTOCOLS

ISSUE = {
    "bsds500", "coco", "kodak", "levin", "sun", "lai-uniform", "lai-real", "kohler", "dublid-bsds", "gopro",
    "gopro-gamma", "reds", "realblur-j", "realblur-r", "hide", "neurmap", "folders", "csv", "unpaired", "synthetic",
    "photos", "photos-large",
}  # fmt: skip


def test_the_catalogue_has_every_set_and_every_fact():
    assert set(datasets()) == ISSUE
    for entry in datasets().values():
        for fact in (entry.title, entry.citation, entry.terms, entry.layout, entry.get, entry.not_for):
            assert fact, entry.name
        if entry.kind == "own":
            continue
        module, function = entry.reader.split(":")
        assert callable(getattr(import_module(module), function))
        assert entry.folders
        assert (entry.protocol in PROTOCOLS) == (entry.kind == "pairs")


def test_pairs_and_photos_are_opened_by_name(tmp_path):
    trees.levin_tree(tmp_path)
    trees.save(tmp_path / "coco/val2017/1.png", trees.photo(8, 8, 3, 0))
    pairs = open_dataset("levin", tmp_path)
    assert len(pairs) == 32
    assert pairs[0].encoding == find_dataset("levin").encoding
    assert len(open_dataset("levin", tmp_path / "levin")) == 32
    assert len(open_photos("coco", tmp_path, "val2017")) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lena",), "no data set named 'lena'; choose one of: levin"),
        (("kodak",), "has no pairs to open"),
        (("levin", "train"), "no split 'train'; it has none"),
        (("gopro", "val"), "no split 'val'; choose one of: train, test"),
        (("csv",), "has no pairs to open"),
    ],
)
def test_wrong_names_are_told_in_one_sentence(tmp_path, words, message):
    name, *split = words
    with pytest.raises(UsageError, match=message):
        open_dataset(name, tmp_path, *split)


@pytest.mark.parametrize("name", sorted(name for name in ISSUE if datasets()[name].kind == "pairs"))
def test_an_empty_folder_is_told_in_one_sentence(tmp_path, name):
    with pytest.raises(DataError, match=r"^expected [^\n]*; found none$"):
        open_dataset(name, tmp_path)


def test_verify_says_what_is_expected_and_what_is_there(tmp_path):
    trees.levin_tree(tmp_path)
    (tmp_path / "levin/gt/im4.png").unlink()
    blurred, sharp, kernels, pairs = verify_dataset(find_dataset("levin"), tmp_path)
    assert "expected files with the digest 6843593cb33b46f1; found" in blurred.note
    assert "expected 4 files" in sharp.note
    assert "found 3" in sharp.note
    assert "found none named 'im4' for 'im4_kernel1_img.png'" in pairs.note
    assert not any(finding.is_good for finding in (blurred, sharp, kernels, pairs))


def test_verify_looks_at_one_split_alone(tmp_path):
    trees.save(tmp_path / "coco/val2017/1.png", trees.photo(8, 8, 3, 0))
    [finding] = verify_dataset(find_dataset("coco"), tmp_path, "val2017")
    assert (finding.is_good, finding.note) == (False, "expected 5000 photos; found 1")
    with pytest.raises(UsageError, match="no split 'val'"):
        list(verify_dataset(find_dataset("coco"), tmp_path, "val"))
    with pytest.raises(UsageError, match="data of your own"):
        list(verify_dataset(find_dataset("csv"), tmp_path))


@pytest.mark.parametrize("name", ["levin", "dublid-bsds", "sun", "kodak", "lai-real"])
def test_the_shared_data_are_whole(data_folder, name):
    findings = list(verify_dataset(find_dataset(name), data_folder))
    assert [finding.note for finding in findings if not finding.is_good] == []


def test_the_shared_photos_of_bsds500_are_whole(data_folder):
    assert all(
        f.is_good for split in ("train", "val") for f in verify_dataset(find_dataset("bsds500"), data_folder, split)
    )
    assert len(need_files(data_folder / "segmentations" / "val", "*.npz", 100)) == 100


def test_the_catalogue_costs_no_torch():
    code = "import sys; from unblur.datasets import datasets; datasets(); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
