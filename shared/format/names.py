"""Where the objects of a vault lie: the same names in Blob Storage and in a folder."""

from shared.domain.ids import AccountId, IndexName, PackName, SessionId

__all__ = ["IndexName", "PackName", "head", "meta_container", "packs_container", "refs"]


def packs_container(account: AccountId) -> str:
    return f"d-{account}"


def meta_container(account: AccountId) -> str:
    return f"m-{account}"


def head(session: SessionId) -> str:
    return f"head/{session}"


def refs(session: SessionId) -> str:
    return f"refs/{session}"
