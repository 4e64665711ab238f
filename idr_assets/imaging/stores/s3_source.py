"""Read images from S3: each request is made once, because `retries` repeats it."""

from typing import Any

from s3fs import S3FileSystem

from idr_assets.imaging.stores.answers import receive
from idr_assets.imaging.stores.http_source import USER_AGENT

CONFIG = {
    "retries": {"total_max_attempts": 1},
    "user_agent_extra": USER_AGENT,
    "max_pool_connections": 1000,  # the number of requests is bounded by `reading` of the YAML
}
"""Settings of botocore; `config_kwargs` overrides them."""


class S3Source(S3FileSystem):  # type: ignore[misc]  # s3fs ships no types
    """The filesystem of s3fs without its own retries and those of botocore, which would multiply ours."""

    retries = 1

    def __init__(self, *, config_kwargs: dict[str, Any] | None = None, **options: Any) -> None:  # noqa: ANN401  theirs
        """Make the filesystem, with the same arguments as in s3fs."""
        super().__init__(config_kwargs=CONFIG | (config_kwargs or {}), **options)

    async def _call_s3(self, method: str, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401  theirs
        answer = await super()._call_s3(method, *arguments, **named)
        if method == "get_object":
            about = answer["ResponseMetadata"]
            async with answer["Body"] as body:
                received = await receive(body.read, about["HTTPStatusCode"], about["HTTPHeaders"], named.get("Range"))
            answer["Body"] = _Received(received)
        return answer


class _Received:
    """A body that has been received, as s3fs reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self) -> bytes:
        return self._body

    def close(self) -> None:
        """Do nothing."""
