"""Parts of a model are kept whole or not at all, never change, and run no code of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fitscale.errors import Untrusted
from fitscale.store import parts


def read(folder: Path, span: parts.Span) -> bytes | None:
    return parts.read(folder.parent, folder, span, pickles=True, trusted=False)


def test_what_was_kept_is_there(tmp_path: Path) -> None:
    """By its span; a second that keeps the same changes nothing, and halves do not count."""
    folder = tmp_path / "parts"
    assert parts.kept(folder) == set()
    parts.save(folder, (0, 4), b"four")
    parts.save(folder, (4, 5), b"one")
    parts.save(folder, (0, 4), b"four")
    (folder / ".half.tmp").mkdir()
    assert parts.kept(folder) == {(0, 4), (4, 5)}
    assert read(folder, (0, 4)) == b"four"
    parts.clear_halves(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["000000000-000000004", "000000004-000000005"]


@pytest.mark.parametrize("name", ["payload", "meta.json"])
def test_a_torn_part_is_forgotten(tmp_path: Path, name: str) -> None:
    """What cannot be read, or has other bytes than were written, is no part: it can be kept again."""
    folder = tmp_path / "parts"
    parts.save(folder, (0, 4), b"four")
    (folder / "000000000-000000004" / name).write_bytes(b"torn")
    assert read(folder, (0, 4)) is None
    assert parts.kept(folder) == set()
    parts.save(folder, (0, 4), b"four")
    assert read(folder, (0, 4)) == b"four"


def test_a_strangers_part_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that could run code are read only with this user's signature, or when trusted."""
    folder = tmp_path / "parts"
    with monkeypatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path / "stranger"))
        parts.save(folder, (0, 4), b"four")
    with pytest.raises(Untrusted, match="--trust"):
        read(folder, (0, 4))
    assert parts.read(tmp_path, folder, (0, 4), pickles=True, trusted=True) == b"four"
    assert parts.read(tmp_path, folder, (0, 4), pickles=False, trusted=False) == b"four"
