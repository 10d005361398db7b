"""The service on a workstation: notices, opens, has judged, decides, contains, tells."""
