from survey_app.storage.row_cache import Remembered


class Reading:
    """Hands out a value of so many rows and counts how often it was read."""

    def __init__(self, rows):
        self.rows, self.times = rows, 0

    def __call__(self):
        self.times += 1
        return [self.times] * self.rows


def test_a_value_is_read_once():
    remembered, read = Remembered(rows=10), Reading(rows=5)

    assert remembered.recall("key", read) is remembered.recall("key", read)
    assert read.times == 1


def test_what_was_not_asked_for_longest_is_forgotten_first():
    remembered, first, second = Remembered(rows=10), Reading(rows=5), Reading(rows=5)
    for key, read in (("first", first), ("second", second), ("first", first), ("third", Reading(rows=5))):
        remembered.recall(key, read)
    remembered.recall("first", first)
    remembered.recall("second", second)

    assert (first.times, second.times) == (1, 2)


def test_a_value_that_would_fill_all_the_room_is_handed_out_and_not_kept():
    remembered, read = Remembered(rows=10), Reading(rows=11)

    assert len(remembered.recall("key", read)) == 11
    remembered.recall("key", read)
    assert read.times == 2
