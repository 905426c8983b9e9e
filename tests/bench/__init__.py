"""The benchmarks measure what they say, and the functions keep what is promised of them."""
