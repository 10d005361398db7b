"""One module for each family of formats: a stream in, tables and text out."""
