"""The header `x-amz-expected-bucket-owner` of HeadBucket. moto ignores it, and shows anybody's bucket to everybody."""

from typing import Any, Final

from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

HEADER: Final = "x-amz-expected-bucket-owner"


def install() -> None:
    """Answer 403 where the bucket is somebody else's."""

    def head_bucket(self: Any) -> Any:
        expected = self.headers.get(HEADER)
        _, owner = s3_backends.bucket_accounts.get(self.bucket_name, (None, expected))
        return (403, {}, "") if expected and owner != expected else known(self)

    known = S3Response.head_bucket
    S3Response.head_bucket = head_bucket
