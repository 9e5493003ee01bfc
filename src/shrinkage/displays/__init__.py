"""Figures for paper and notebooks, drawn with Matplotlib in scikit-learn's way."""
