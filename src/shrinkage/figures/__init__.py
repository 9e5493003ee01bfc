"""Each figure's data, computed once from the findings; `screen` draws them with Bokeh.

A module here holds one figure's numbers as a frozen record and the function that makes it; it knows
nothing of how they are drawn. Drawing (in :mod:`shrinkage.figures.screen`) computes nothing.
"""
