from survey_app.storage.sized_cache import SizedCache


class Reading:
    """Hands out a value of so many rows and counts how often it was read."""

    def __init__(self, rows):
        self.rows, self.times = rows, 0

    def __call__(self):
        self.times += 1
        return [self.times] * self.rows


def test_a_value_is_read_once():
    remembered, read = SizedCache(most=10, size_of=len), Reading(rows=5)

    assert remembered.get_or_make("key", read) is remembered.get_or_make("key", read)
    assert read.times == 1


def test_what_was_not_asked_for_longest_is_forgotten_first():
    remembered, first, second = SizedCache(most=10, size_of=len), Reading(rows=5), Reading(rows=5)
    for key, read in (("first", first), ("second", second), ("first", first), ("third", Reading(rows=5))):
        remembered.get_or_make(key, read)
    remembered.get_or_make("first", first)
    remembered.get_or_make("second", second)

    assert (first.times, second.times) == (1, 2)


def test_a_value_that_would_fill_all_the_room_is_handed_out_and_not_kept():
    remembered, read = SizedCache(most=10, size_of=len), Reading(rows=11)

    assert len(remembered.get_or_make("key", read)) == 11
    remembered.get_or_make("key", read)
    assert read.times == 2
