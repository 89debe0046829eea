import pytest

import data_trees as trees
from unblur.datasets import datasets


def test_list_names_every_set(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    ran = run("data", "list")
    assert ran.code == 0
    listed = {line.split()[0] for line in ran.out.decode().splitlines()[1:] if line and not line.startswith("unblur")}
    assert listed == set(datasets())


@pytest.mark.parametrize("name", ["levin", "gopro", "csv"])
def test_show_tells_what_a_set_is(run, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "300")
    ran = run("data", "show", name)
    told = ran.out.decode()
    entry = datasets()[name]
    assert ran.code == 0
    for text in (entry.title, entry.citation, entry.terms, entry.get, entry.not_for, *entry.layout.splitlines()):
        assert text.strip() in told


def test_verify_answers_with_its_exit_code(run, tmp_path):
    for n in range(24):
        trees.save(tmp_path / f"kodak/kodim{n + 1:02d}.png", trees.photo(8, 8, 3, n))
    ran = run("data", "verify", "kodak", "--data", tmp_path)
    assert ran.code == 1
    first, second = ran.out.decode().splitlines()
    assert first.startswith("BAD   kodim*.png: expected files with the digest c86397b4301d8061; found ")
    assert second == "good  photos: 24 photos"


def test_verify_of_whole_data(run, data_folder):
    ran = run("data", "verify", "kodak", "--data", data_folder)
    assert (ran.code, ran.out.decode().count("good")) == (0, 2)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["show", "lena"], "there is no data set named 'lena'"),
        (["verify", "lena"], "there is no data set named 'lena'"),
        (
            ["verify", "gopro", "--data", "."],
            "expected a folder 'gopro' or 'GoPro' or 'GOPRO_Large' in '.'; found none",
        ),
        (["verify", "levin", "--data", "nowhere"], "there is no data folder 'nowhere'"),
        (["verify", "csv", "--data", "."], "csv is a form for data of your own"),
        (["verify", "gopro", "--data", ".", "--split", "val"], "has no split 'val'"),
        (["burn"], "no such command 'burn'"),
    ],
)
def test_wrong_use_is_one_line(run, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    ran = run("data", *words)
    assert ran.code == 2
    [line] = ran.errors
    assert reason in line


def test_an_incomplete_folder_is_told_in_one_sentence(run, tmp_path):
    trees.save(tmp_path / "gopro/test/GOPR1/blur/1.png", trees.photo(8, 8, 3, 0))
    trees.save(tmp_path / "gopro/test/GOPR1/sharp/2.png", trees.photo(8, 8, 3, 0))
    ran = run("data", "verify", "gopro", "--data", tmp_path, "--split", "test")
    assert ran.code == 1
    [line] = ran.out.decode().splitlines()
    assert "found none named '1' for '1.png'" in line
