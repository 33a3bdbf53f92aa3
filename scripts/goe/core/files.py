"""Files that are there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def draft(target: str | Path) -> Iterator[Path]:
    """A path beside the target that becomes it when the block ends well, and is deleted when not."""
    path = Path(f"{target}.part")
    try:
        yield path
        path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def write_whole(path: str | Path, text: str) -> None:
    """Write a text beside its place and move it there: a reader sees the old file or the new one, never a part."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with draft(path) as part:
        part.write_text(text)
