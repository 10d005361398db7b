"""What administrators tune: the settings model and the shipped TOML."""
