"""Benchmarks: suite x method x protocol, a row an image, tables from rows."""
