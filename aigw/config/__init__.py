"""
The configuration: one file per part of its surface, as msgspec structs whose fields
carry their bounds and meanings, and what reads, checks, shows and documents them. Pure:
the environment is an argument, a file is read only when its path is given, and nothing
here knows Twisted.
"""
