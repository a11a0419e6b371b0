"""
What a tap saw in a frame: a few bits in an int, because it is looked at for
each frame and an IntFlag costs more than the look itself.
"""

from __future__ import annotations

from typing import Final

#: Nothing that matters: a comment, a ping, a role-only chunk, a block's start.
NOTHING: Final = 0
#: Content: text, thinking, a tool call, a refusal. Commits the exchange.
CONTENT: Final = 1
#: A frame that counts as progress although it holds no content.
PROGRESS: Final = 2
#: The dialect's terminal frame.
TERMINAL: Final = 4
#: The provider reports an error in the stream.
ERROR: Final = 8
#: A frame that exists only to carry usage.
USAGE_ONLY: Final = 16
