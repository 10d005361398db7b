"""Sniffing, unpacking, protection, weighing of evidence, the wire types, the worker's main loop."""
