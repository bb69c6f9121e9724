from components.artifacts.flatten import flatten


def test_keys_are_dotted_and_keep_their_order() -> None:
    content = {"b": {"y": 1, "x": {"deep": [2, {"inside": "a list"}]}}, "a": None}
    assert list(flatten(content)) == [("b.y", 1), ("b.x.deep", [2, {"inside": "a list"}]), ("a", None)]


def test_an_empty_mapping_is_a_value() -> None:
    assert list(flatten({"a": {"b": {}}})) == [("a.b", {})]
