from pathlib import Path

from components.artifacts.code_hash import code_hash


def test_the_hash_of_code_is_that_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "package" / "inner").mkdir(parents=True)
    file = tmp_path / "package" / "inner" / "x.py"
    file.write_text("a = 1\n")
    first = code_hash(tmp_path / "package")
    (tmp_path / "package" / "notes.txt").write_text("none of it")
    assert code_hash(tmp_path / "package") == first
    file.write_text("a = 2\n")
    assert code_hash(tmp_path / "package") != first
    assert code_hash(tmp_path / "package", file) != code_hash(tmp_path / "package")
