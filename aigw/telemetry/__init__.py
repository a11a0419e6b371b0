"""What is told of the gateway's work: the access log, and later metrics and traces."""
