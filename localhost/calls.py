"""The context of backend calls that come from inside the host, not through gRPC."""

from typing import NoReturn, cast

import grpc


class CallRefusedError(Exception):
    """A call from inside the host was refused; `code` is what a gRPC client would have got."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code


class _LocalCall:
    """The context of a call that comes from inside the host: it never times out, and an abort raises."""

    def is_active(self) -> bool:
        return True

    def time_remaining(self) -> None:
        return None

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        raise CallRefusedError(code, details)


LOCAL_CALL = cast(grpc.ServicerContext, _LocalCall())
