"""
What tests need, ours and third parties': doubles, and one conformance check for each
interface. ``docs/extending.md`` lists the checks; none of them needs pytest.
"""
