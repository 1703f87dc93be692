"""Measuring: metrics per category with intervals, on held-back rows or an operator's own labels."""
