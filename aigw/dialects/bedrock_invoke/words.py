"""What the operations are called, and how they are asked."""

from __future__ import annotations

import re
from typing import Final

NAME: Final = "bedrock-invoke"

#: The operation a path names, and what its streamed form is called by.
PATH: Final = re.compile(r"/model/.+/(invoke(?:-with-response-stream)?)/?\Z")
STREAMED: Final = "invoke-with-response-stream"
