"""
What tests need, ours and third parties': doubles, and one conformance check for each
interface.
"""
