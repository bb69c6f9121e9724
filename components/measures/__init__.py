"""Distances that more than one step computes. Pure functions of tensors."""
