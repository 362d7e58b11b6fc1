import threading

import pytest

from agent.engine.known import Known
from agent.engine.locations import Locations


def test_of_many_that_claim_a_chunk_at_once_one_must_store_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them looked first, and none had stored it yet."""
    known, claims = Known(Locations([])), list[bool]()

    def unseen(self: Known, chunk: bytes) -> bool:
        return False

    monkeypatch.setattr(Known, "__contains__", unseen)
    threads = [threading.Thread(target=lambda: claims.append(known.claim(b"chunk"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert claims.count(True) == 1
    assert len(claims) == 20
