"""What operators reach on a listener of its own: health, configuration, metrics."""
