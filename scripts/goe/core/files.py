"""Files that are there whole or not at all."""

from pathlib import Path


def write_whole(path: str | Path, text: str) -> None:
    """Write a text beside its place and move it there: a reader sees the old file or the new one, never a part."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.part")
    draft.write_text(text)
    draft.replace(target)
