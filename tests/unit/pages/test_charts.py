from goe.pages import charts


def heights(plot, cls):
    return [float(s.attributes["height"]) for s in plot.shapes if s.tag == "rect" and s.attributes["class"] == cls]


def test_columns_stand_on_each_other_and_none_is_invisible():
    plot = charts.columns("k", "t", "d", [0.01, 0.1, 1.0], [("a", [1, 1000, 0]), ("b", [0, 1000, 3])])
    assert heights(plot, "a") == [1.0, 50.0] and heights(plot, "b") == [50.0, 1.0]
    tops = [float(s.attributes["y"]) for s in plot.shapes if s.tag == "rect"]
    assert min(tops) >= 0 and {s.text for s in plot.shapes if s.tag == "text"} >= {"1\u202f%", "100\u202f%"}


def test_a_matrix_has_a_cell_for_each_pair_and_room_for_none():
    cells = [[None, (1.0, "0.5", "one")], [(0.2, "0.1", "two"), None]]
    plot = charts.matrix("k", "t", "d", ["A", "B"], ["A", "B"], cells)
    words = [s.attributes.get("data-words") for s in plot.shapes if s.tag == "rect"]
    assert words == [None, "one", "two", None]
    assert [s.text for s in plot.shapes if s.tag == "text"] == ["A", "B", "A", "0.5", "B", "0.1"]
    many = [str(i) for i in range(20)]
    plot = charts.matrix("k", "t", "d", many, many, [[(0.5, "x", "w")] * 20] * 20)
    assert "x" not in {s.text for s in plot.shapes}


def test_points_are_within_the_plot():
    plot = charts.points("k", "t", "d", ("x", "y"), [("A", 0, 0), ("B", 5, -3), ("C", 2, 9)])
    circles = [s.attributes for s in plot.shapes if s.tag == "circle"]
    assert len(circles) == 3 and all(0 < float(c["cy"]) < plot.height for c in circles)
    assert all(0 < float(c["cx"].rstrip("%")) < 100 for c in circles)
    assert len(charts.points("k", "t", "d", ("x", "y"), [("A", 1, 1)]).shapes) == 5
