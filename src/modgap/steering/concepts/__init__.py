"""Concepts as data: one file each, with short sentences of our own and the word in each that carries it."""
