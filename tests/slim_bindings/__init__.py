"""The loader of bindings, on packages made up for it: files and processes, so not among the unit tests."""
