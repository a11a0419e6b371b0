"""
Where third parties put their makers: a module ``aigw/plugins/<yours>.py`` in a
distribution of their own (without an ``__init__.py``), holding module-level
objects that provide :class:`aigw.interfaces.IMaker`.
"""

from twisted.plugin import pluginPackagePaths

__path__.extend(pluginPackagePaths(__name__))
__all__: list[str] = []
