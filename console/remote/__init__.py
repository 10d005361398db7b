"""The console from afar: what its pages do, as commands over its interface for programs."""
