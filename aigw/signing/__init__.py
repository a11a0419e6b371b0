"""
Proof towards providers of who asks. The signers are pure; :mod:`.credentials` finds and
refreshes what they sign with. What only some configurations need (botocore,
cryptography) is imported when one of them is loaded.
"""
