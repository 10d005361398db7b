"""What administrators tune: the settings model (`config.settings`), its loader (`config.load`) and the
shipped TOML (`defaults.toml`). Read by every package, imports none of them.

Nothing is imported here: the small processes do without the loader and its pydantic-settings.
"""
