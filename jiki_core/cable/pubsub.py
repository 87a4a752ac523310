"""`$pubsub`: a stream by its signed name, without a channel class (realtime.md section 2)."""

from __future__ import annotations

from dataclasses import dataclass

from jiki_core.cable.channel import Channel
from jiki_core.cable.tokens import verify_signed_stream


@dataclass(frozen=True, slots=True)
class SignedStreamParams:
    """`signed_stream_name` is made by `sign_stream`; an unsigned `stream_name` is refused like any unknown
    field."""

    signed_stream_name: str


def signed_stream_channel(secret: str) -> type[Channel]:
    """The channel class for streams signed with `secret`: presence on, whispers off, as in AnyCable."""

    class SignedStreamChannel(Channel):
        name = "$pubsub"
        Params = SignedStreamParams
        truth = "the read that handed out the signed name"

        def subscribed(self) -> None:
            stream = verify_signed_stream(secret, self.params.signed_stream_name)
            if stream is None:
                self.reject()
                return
            self.stream_from(stream)
            self.allow_presence(stream)

    return SignedStreamChannel
