"""The judgement: what is in this file, is it protected, does it hold a record per person.

Modules directly in this package are detectors, one a file; the module's name is the
detector's id. Importing the package itself stays free of any parser.
"""
