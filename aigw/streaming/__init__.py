"""
How an answer travels from provider to client: the ways through (pure), the relay that
joins the two connections, the flush and the deadlines.
"""
