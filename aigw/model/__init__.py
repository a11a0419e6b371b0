"""
Values that travel between rooms, one noun a module. They know the standard
library, msgspec and aigw's errors; no Request, Failure or Deferred ever enters.
"""
