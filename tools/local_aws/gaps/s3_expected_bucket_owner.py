"""HeadBucket answers 403 where the bucket is not of the owner that `x-amz-expected-bucket-owner` names.

moto 5.2.5: ignores the header, and answers for a bucket of any account.
AWS: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
Remove when: moto compares the owner.
"""

from collections.abc import Callable
from typing import Any, Final

from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

from tools.local_aws.moto_patches import Gap

GAP: Final = Gap(__name__)
HEADER: Final = "x-amz-expected-bucket-owner"


@GAP.wraps(S3Response, "head_bucket", "(self)")
def _head_bucket(head: Callable[..., Any], self: Any) -> Any:
    expected = self.headers.get(HEADER)
    _, owner = s3_backends.bucket_accounts.get(self.bucket_name, (None, expected))
    return (403, {}, "") if expected and owner != expected else head(self)
