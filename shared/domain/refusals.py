"""How many refusals at the door make a record: who knocks without end must not fill the log without end."""


def worth_a_record(count: int, first: int) -> bool:
    """The `first`, and each time their number has doubled since: from 5 on, a thousand make eight."""
    times, rest = divmod(count, first)
    return rest == 0 and times.bit_count() == 1
