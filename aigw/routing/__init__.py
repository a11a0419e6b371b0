"""
Which route a request takes, and (with ai-proxy-multi) which instance of it. What only
decides is pure: values in, values out, time as an argument.
"""
