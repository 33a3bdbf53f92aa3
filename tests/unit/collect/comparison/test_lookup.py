import json

import pyarrow.parquet as pq
import pytest
from goe.collect.comparison import again, lookup
from goe.pages import packed
from goe.release.formats.wide_table import column
from helpers import collection_folder


def test_what_is_packed_is_unpacked_by_other_code(tmp_path, monkeypatch):
    root = collection_folder.whole(tmp_path)
    rows = pq.read_table(root / "frequencies/chr20.parquet")
    every = lookup.strata(["LV", "Total", "EE", "F", "EE_M", "FI"])
    assert every == ["Total", "EE", "FI", "LV"]
    monkeypatch.setattr(packed, "CHUNKS_PER_FILE", 2)
    writer = lookup.Writer(tmp_path / "w", "C", "chr20", every)
    for start in range(0, rows.num_rows, 9):
        writer.write(rows.slice(start, 9))
    index = writer.close()
    assert len(lookup.names(index)) == -(-len(index["chunks"]) // 2) > 1
    place = 0
    for raw, said in zip(lookup.read(tmp_path / "w", "C", index, 4), index["chunks"], strict=True):
        part, wanted = lookup.Chunk(raw, said[0], every), rows.slice(place, said[3]).to_pydict()
        place += said[3]
        assert part.pos.tolist() == wanted["pos"] and part.filter == wanted["filter"]
        assert part.pair == [f"{r}>{a}" for r, a in zip(wanted["ref"], wanted["alt"], strict=True)]
        assert part.status == wanted["status"]
        for s in every:
            for number in lookup.NUMBERS:
                assert part.numbers[s, number].tolist() == wanted[column(number, s)]
    assert place == rows.num_rows


@pytest.mark.parametrize("harm", ["other", "short", "bomb"])
def test_a_file_that_is_another_is_not_read(tmp_path, harm):
    root = collection_folder.whole(tmp_path)
    (index,) = again.read(root)["page"]
    path = root / lookup.names(index)[0]
    said = json.loads(f"[{path.read_text()[len('goeLookup(') : -3]}]")
    if harm == "other":
        said[0] = "GOE-XX"
    elif harm == "short":
        said[3] = []
    else:
        import base64
        import zlib

        said[3] = [base64.b64encode(zlib.compress(b"0" * (1 << 26))).decode()]
    path.write_text(f"goeLookup({','.join(map(json.dumps, said))});\n")
    with pytest.raises(ValueError, match=r"of another collection|not all its chunks|that is none"):
        list(lookup.read(root, collection_folder.ID, index, 4))
