from pathlib import Path

import unblur
from unblur.system.digests import digest_code, digest_files


def test_a_digest_stands_for_names_and_contents(tmp_path):
    for name, content in (("b", b"2"), ("a", b"1")):
        (tmp_path / name).write_bytes(content)
    first = digest_files([tmp_path / "a", tmp_path / "b"], tmp_path)
    assert first == digest_files([tmp_path / "b", tmp_path / "a"], tmp_path)
    (tmp_path / "a").write_bytes(b"3")
    second = digest_files([tmp_path / "a", tmp_path / "b"], tmp_path)
    (tmp_path / "a").rename(tmp_path / "c")
    third = digest_files([tmp_path / "c", tmp_path / "b"], tmp_path)
    assert len({first, second, third}) == 3


def test_the_digest_of_code_is_that_of_its_files():
    package = Path(unblur.__path__[0])
    assert digest_code(["system/*.py", "system/d*.py"]) == digest_files((package / "system").glob("*.py"), package)
    assert digest_code(["system/*.py"]) != digest_code(["system/**/*.py", "errors.py"])
