"""
What aigw costs beside other proxies, measured on one machine in one run.

``python -m benchmarks`` builds what it needs, measures and prints the table; README.md
says what each case is. Commands, never timed tests.
"""
