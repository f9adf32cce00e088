import errno

import pytest

from analytics.files.atomic_files import write_files


def test_a_full_disk_is_named_with_the_directory_and_leaves_what_was_there(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"old")

    def too_much():
        yield b"new"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left") as raised:
        write_files({"a.csv": too_much()}, tmp_path)

    assert raised.value.filename == str(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == b"old"
