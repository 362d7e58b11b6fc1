"""Calls survive what networks do, give up in time, and never tell a URL."""

import base64
import contextlib
import hashlib
import logging
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from agent.patience import Patience
from agent.transport import Answer, Call, Transport, Unreachable, retry_after_seconds
from tests.agent.conftest import SHORT, chain
from tests.agent.stand_in import Fault, How, StandIn
from tests.agent.stand_in_server import running


def put(stand_in: StandIn, transport: Transport, body: bytes = b"body") -> Answer:
    url = stand_in.grant("c")["packs_url"].replace("?", "/name?")
    headers = {"x-ms-blob-type": "BlockBlob", "Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    return transport.send(Call("PUT", url, headers, (body[:1], memoryview(body)[1:])))


def get(stand_in: StandIn, transport: Transport) -> Answer:
    return transport.send(Call("GET", stand_in.grant("r")["packs_url"].replace("?", "/name?")))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT", How.ANSWER, 429),
        Fault("PUT", How.ANSWER, 408),
        Fault("PUT", How.ANSWER, 500),
        Fault("PUT", How.ANSWER, 503, retry_after="0"),
        Fault("PUT", How.RESET_BEFORE),
    ],
    ids=lambda fault: f"{fault.how.name}-{fault.status}",
)
def test_a_passing_fault_is_tried_again(stand_in: StandIn, transport: Transport, fault: Fault) -> None:
    stand_in.faults = [fault, fault]
    assert put(stand_in, transport).status == 201
    assert stand_in.count("PUT") == 3


@pytest.mark.parametrize("how", [How.CUT_SHORT, How.SLOW, How.RESET_AFTER])
def test_an_answer_that_does_not_arrive_whole_is_asked_for_again(
    stand_in: StandIn, transport: Transport, how: How
) -> None:
    stand_in.packs["name"] = b"0123456789"
    stand_in.faults = [Fault("GET", how)]
    assert get(stand_in, transport).body == b"0123456789"
    assert stand_in.count("GET") == 2


def test_a_body_of_parts_arrives_whole_and_unchunked(stand_in: StandIn, transport: Transport) -> None:
    assert put(stand_in, transport, bytes(range(256)) * 4096).status == 201
    assert stand_in.packs["name"] == bytes(range(256)) * 4096


def test_a_refusal_is_an_answer(stand_in: StandIn, transport: Transport) -> None:
    stand_in.faults = [Fault("PUT", How.ANSWER, 403)]
    assert put(stand_in, transport).status == 403
    assert stand_in.count("PUT") == 1


def test_it_gives_up_when_patience_is_over_and_tells_no_secret(stand_in: StandIn, transport: Transport) -> None:
    stand_in.faults = [Fault("PUT", How.ANSWER, 503)] * 1000
    started = time.monotonic()
    with pytest.raises(Unreachable, match="it answers 503") as caught:
        put(stand_in, transport)
    assert SHORT.absence_seconds - 0.1 < time.monotonic() - started < SHORT.absence_seconds + 1
    assert "secret" not in chain(caught.value)


def test_nobody_there_is_told_without_the_url(caplog: pytest.LogCaptureFixture) -> None:
    transport = Transport(Patience(absence_seconds=0.05, attempts=2, first_wait_seconds=0.01))
    with caplog.at_level(logging.DEBUG), pytest.raises(Unreachable) as caught:
        transport.send(Call("GET", "http://127.0.0.1:9/container?sig=secret", {}, ()))
    assert str(caught.value) == "127.0.0.1:9 cannot be reached: no connection"
    assert "secret" not in caplog.text + chain(caught.value)


def test_a_longer_wait_than_we_have_ends_it_at_once(stand_in: StandIn, transport: Transport) -> None:
    stand_in.faults = [Fault("PUT", How.ANSWER, 503, retry_after="3600")]
    started = time.monotonic()
    with pytest.raises(Unreachable):
        put(stand_in, transport)
    assert time.monotonic() - started < 1


def test_it_waits_as_long_as_it_is_told(stand_in: StandIn) -> None:
    waits: list[float] = []
    transport = Transport(SHORT, sleep=waits.append)
    stand_in.faults = [Fault("PUT", How.ANSWER, 429, retry_after="1")]
    assert put(stand_in, transport).status == 201
    assert waits == [1.0]


def test_a_service_that_comes_back_within_patience_is_not_missed(transport: Transport) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    done = threading.Event()

    def come_back() -> None:
        time.sleep(0.5)
        with running(StandIn(), port):
            done.wait(5)

    thread = threading.Thread(target=come_back)
    thread.start()
    try:
        assert transport.send(Call("GET", f"http://127.0.0.1:{port}/blobs/d-x/name?sp=r&sig=secret1")).status == 404
    finally:
        done.set()
        thread.join()


def test_a_certificate_that_is_not_trusted_ends_it_at_once(tmp_path: Path, transport: Transport) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=shake_hands_once, args=(server, context))
        thread.start()
        with pytest.raises(Unreachable, match="its TLS certificate is not trusted"):
            transport.send(Call("GET", f"https://127.0.0.1:{port}/"))
        thread.join()


def shake_hands_once(server: socket.socket, context: ssl.SSLContext) -> None:
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        context.wrap_socket(client, server_side=True).close()


def self_signed(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=2))
    certificate = builder.sign(key, SHA256())
    encoding, pkcs8, bare = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    path = folder / "server.pem"
    path.write_bytes(key.private_bytes(encoding, pkcs8, bare) + certificate.public_bytes(encoding))
    return path


@given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1))
def test_waits_grow_and_stay_bounded(failures: int, jitter: float) -> None:
    patience = Patience()
    wait = patience.wait_seconds(failures, jitter)
    assert 0 < wait <= patience.longest_wait_seconds
    assert patience.wait_seconds(failures + 1, jitter) >= wait


def test_a_slow_upload_that_breaks_late_still_gets_its_attempts() -> None:
    patience = Patience(absence_seconds=60, attempts=5)
    assert not patience.is_over(2, absent_seconds=3600, wait_seconds=1)
    assert patience.is_over(5, absent_seconds=3600, wait_seconds=1)


def test_by_default_a_minute_of_absence_is_survived() -> None:
    assert not Patience().is_over(1000, absent_seconds=60, wait_seconds=Patience().longest_wait_seconds)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7), (format_datetime(datetime.fromtimestamp(100, UTC), usegmt=True), 40), ("soon", 0), ("", 0), (None, 0)],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float) -> None:
    assert retry_after_seconds(value, now_epoch_seconds=60) == seconds
