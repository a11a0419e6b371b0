"""What an object holds on to, whatever way."""

from __future__ import annotations

import gc
from types import FunctionType, ModuleType

#: Through these everything leads to everything.
_BORDERS = (type, ModuleType, FunctionType)


def holds(root: object, words: str, *but: type) -> bool:
    """
    Whether ``words`` stand in any string or bytes that ``root`` leads to.

    :param but: classes whose objects are not looked into.
    """
    coded = words.encode()
    seen, near = {id(root)}, [root]
    while near:
        one = near.pop()
        if isinstance(one, bytes | bytearray):
            if coded in one:
                return True
        elif isinstance(one, str):
            if words in one:
                return True
        elif not isinstance(one, (*_BORDERS, *but)):
            for other in gc.get_referents(one):
                if id(other) not in seen:
                    seen.add(id(other))
                    near.append(other)
    return False
