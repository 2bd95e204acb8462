"""The bytes of a text file, whatever it is compressed with; and what pins them."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from fitscale.data.sources.listing import PLACE
from fitscale.errors import DataError

SPOT, SPOTS = 4_096, 16
END = 65_536  # of the head and the tail that pin a file
HASHED = 4 << 20
OTHER = {
    b"PAR1": "Parquet: let its name end in .parquet",
    b"ARROW1": "an Arrow file: let its name end in .arrow",
    b"PK\x03\x04": "a zip archive or a spreadsheet: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save the sheet as CSV",
    b"BZh": "compressed with bzip2: compress it with gzip or zstd, or not at all",
    b"\xfd7zXZ": "compressed with xz: compress it with gzip or zstd, or not at all",
}
WIDE = ("utf-16-le", "utf-16-be")


def compression(path: Path) -> str:
    """``gzip``, ``zstd`` or nothing: by the first bytes, not by the name.

    Raises
    ------
    DataError
        If it is gone, cannot be read, is empty, or is of another kind altogether.
    """
    with _readable(path), open(path, "rb") as file:
        head = file.read(8)
    if not head:
        raise DataError(f"{PLACE}: {path} is empty: 0 bytes; write it again")
    for magic, what in OTHER.items():
        if head.startswith(magic):
            raise DataError(f"{PLACE}: {path} is {what}")
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    return "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else ""


class Bytes:
    """A file's bytes from ``offset`` on, decompressed; those of two-byte encodings come as UTF-8."""

    def __init__(self, path: Path, offset: int = 0, encoding: str = "utf-8") -> None:
        self.path, self.encoding = path, encoding
        self.given = 0  # bytes so far
        self._packed = compression(path)
        self._held = b""
        with _readable(path):
            self._file: IO[bytes] = gzip.open(path, "rb") if self._packed == "gzip" else open(path, "rb")  # type: ignore[assignment]  # noqa: SIM115
        self._source: Any = self._file
        if self._packed == "zstd":
            import pyarrow as pa

            self._source = pa.CompressedInputStream(self._file, "zstd")
        self._decode: Any = None
        if encoding in WIDE:
            import codecs

            self._decode = codecs.getincrementaldecoder(encoding)()
        if offset and not self._packed and self._decode is None:
            self._file.seek(offset)
            self.given = offset
        while self.given < offset and self.read(min(HASHED, offset - self.given)):
            pass

    def read(self, size: int) -> bytes:
        """``size`` bytes, or fewer at the end.

        Raises
        ------
        DataError
            If the file is cut off or damaged: after which line.
        """
        try:
            while len(self._held) < size and (data := self._source.read(size - len(self._held))):
                self._held += data if self._decode is None else self._decode.decode(data).encode()
            if self._decode is not None and len(self._held) < size:
                self._decode.decode(b"", final=True)
        except (EOFError, OSError, zlib.error, UnicodeDecodeError) as error:
            raise self._broken(error) from None
        data, self._held = self._held[:size], self._held[size:]
        self.given += len(data)
        return data

    def again(self) -> Bytes:
        """The same text from its start."""
        return Bytes(self.path, encoding=self.encoding)

    def close(self) -> None:
        if self._source is not self._file:
            self._source.close()
        self._file.close()

    def __enter__(self) -> Bytes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _broken(self, error: BaseException) -> DataError:
        if isinstance(error, OSError) and error.errno and error.strerror:
            return DataError(f"{PLACE}: {self.path} cannot be read: {error.strerror}")
        cut = isinstance(error, EOFError) or "runcated" in str(error)
        kind = self._packed or self.encoding
        what = f"is cut off: its {kind} data ends" if cut else f"is damaged: its {kind} data cannot be read"
        lines = self._readable_lines()
        where = f" after line {lines:,}" if lines else ""
        return DataError(f"{PLACE}: {self.path} {what}{where}; copy it again")

    def _readable_lines(self) -> int:
        """How many lines can be read before what is broken."""
        lines = 0
        self._file.seek(0)
        source = self._file
        if self._packed == "zstd":
            import pyarrow as pa

            source = pa.CompressedInputStream(self._file, "zstd")
        newline = "\n".encode(self.encoding) if self.encoding in WIDE else b"\n"
        with suppress(EOFError, OSError, zlib.error):
            while data := source.read(SPOT):
                lines += data.count(newline)
        return lines


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{PLACE}: {path} is gone") from None
    except OSError as error:
        raise DataError(f"{PLACE}: {path} cannot be read: {error.strerror}") from None


def pin(path: Path) -> tuple[int, str]:
    """(size, digest of the head, the tail and spots between them): what a changed file does not keep, nearly always."""
    h = hashlib.sha256()
    with _readable(path), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        h.update(str(size).encode())
        for start in sorted({0, max(0, size - END), *(size * k // SPOTS for k in range(1, SPOTS))}):
            file.seek(start)
            h.update(file.read(END if start in (0, max(0, size - END)) else SPOT))
    return size, h.hexdigest()[:32]


def whole_digest(path: Path) -> str:
    """Of all bytes: looked at where the time of a file differs, and nothing else does."""
    with _readable(path), open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
