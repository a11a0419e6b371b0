"""
How byte streams are cut into frames. Sans-IO: bytes in, values out; a framing never
knows a transport, and never imports another framing.
"""
