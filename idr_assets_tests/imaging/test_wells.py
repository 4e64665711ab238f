"""Names of wells and fields, and the ranges that a YAML may write."""

import pytest

from idr_assets.imaging.wells import (
    Field,
    Well,
    join_numbers,
    join_wells,
    list_fields,
    name_fields,
    parse_field,
    parse_well,
    parse_wells,
)


@pytest.mark.parametrize(
    ("name", "well"),
    [("A01", Well(0, 0)), ("b3", Well(1, 2)), ("H12", Well(7, 11)), ("AA01", Well(26, 0)), ("AF48", Well(31, 47))],
)
def test_a_name_is_a_row_and_a_column(name: str, well: Well) -> None:
    assert parse_well(name) == well
    assert parse_well(well.name) == parse_well(well.path.replace("/", "")) == well


def test_ranges_are_rectangles_row_by_row_each_well_once() -> None:
    assert [well.name for well in parse_wells(["B02:C03", "A10", "B03"])] == ["A10", "B02", "B03", "C02", "C03"]
    assert len(parse_wells(["A01:H12"])) == 96


@pytest.mark.parametrize(
    "name", ["", "3B", "B", "B0", "B00", "ABC1", "B02:", "D11:B02", "B02:C03:D04", "B02-C03", "B1234"]
)
def test_what_names_no_wells_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="write the "):
        parse_wells([name])


@pytest.mark.parametrize("names", [["A01:H12"], ["B02"], ["A01", "A03:A04", "B02:B03"], ["A01:A12", "C01:C12"]])
def test_wells_are_joined_to_the_ranges_that_name_them(names: list[str]) -> None:
    assert join_wells(parse_wells(names)) == names
    assert join_numbers([0, 1, 2, 5]) == ["0-2", "5"]


def test_fields_are_named_by_their_wells() -> None:
    fields = list_fields(parse_wells(["B03", "B02"]), [10, 9])
    assert [field.name for field in fields] == ["B02_9", "B02_10", "B03_9", "B03_10"]
    assert [field.path for field in fields[:2]] == ["B/2/9", "B/2/10"]
    assert [parse_field(field.name) for field in fields] == list(fields)


def test_messages_name_planes_by_their_fields() -> None:
    fields = (Field(Well(0, 0), 0), Field(Well(1, 2), 4))
    assert name_fields("t 1 c 0 z 5 is lost, t 1 is not", fields, range(1)) == "B03_4 c 0 z 5 is lost, t 1 is not"
    assert name_fields("t 3 c 0 z 5", fields, range(5, 7)) == "B03_4 t 6 c 0 z 5"
