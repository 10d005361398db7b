"""The shape of a document: few places, whatever its size."""

from __future__ import annotations

from detectors.engine.json_shape import ANY_KEY, ELEMENT, MAX_NAMED, Kind, Shape, target_at


def test_places_do_not_grow_with_the_document() -> None:
    shape = Shape()
    for i in range(10 * MAX_NAMED):
        shape.member(shape.root, f"key {i}", is_object=False)
        shape.member(shape.root, f"object {i}", is_object=True)
        shape.member(shape.root, str(i), is_object=False)
    assert len(shape.root.members) <= MAX_NAMED + 20


def test_numbers_as_keys_are_one_place() -> None:
    shape = Shape()
    assert shape.member(shape.root, "17", False) is shape.member(shape.root, "4711", False)
    assert list(shape.root.members) == [ANY_KEY]


def test_a_list_of_objects_is_a_table_and_one_object_is_none() -> None:
    shape = Shape()
    element = shape.member(shape.root, ELEMENT, True)
    shape.member(element, "age", False)
    element.objects = 1
    assert target_at(shape.root) is None
    element.objects = 2
    target = target_at(shape.root)
    assert target is not None
    assert (target.kind, target.records, target.variables) == (Kind.RECORDS, 2, 1)


def test_paths_name_members_and_not_steps_through_lists() -> None:
    shape = Shape()
    people = shape.member(shape.root, "people", False)
    element = shape.member(people, ELEMENT, True)
    name = shape.member(shape.member(element, "name", True), "first", False)
    assert name.path() == "people.name.first"
    assert name.path(element) == "name.first"
