"""The methods, what they have in common, and `restore`, the one door to them."""
