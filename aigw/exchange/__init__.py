"""One request and its answer: the ten steps between a client and a provider."""
