"""The page on what five documents print: every table and figure, and what was measured here."""
