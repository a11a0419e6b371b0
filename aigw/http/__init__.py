"""
HTTP on both sides: the two fronts clients reach, the connections to providers, and
what may cross between them.
"""
