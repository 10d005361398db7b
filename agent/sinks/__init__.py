"""One module for each destination of alerts."""
