"""Where the security team reviews: a web application over SQLite, or PostgreSQL for a fleet.

Knows agents only by what they send; imports neither them nor the detectors.
"""
