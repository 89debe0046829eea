"""The methods, what they have in common, and `restore`, their single entry point."""
