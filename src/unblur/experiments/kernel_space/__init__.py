"""Experiments of the encoded blur-kernel space paper."""
