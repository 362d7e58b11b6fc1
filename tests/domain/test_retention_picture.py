"""The picture in the docs is what the rules say."""

from docs.calendar_picture import PICTURE, draw


def test_the_picture_of_the_calendar_is_up_to_date() -> None:
    assert PICTURE.read_text() == draw(), "run `python -m docs.calendar_picture`"
