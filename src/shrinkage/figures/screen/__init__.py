"""Figures drawn with Bokeh, for a page that can be light or dark.

A drawing sets no colour itself: it says which role (:mod:`shrinkage.figures.colours`) a property
plays, and the page gives the roles their colours.
"""

from shrinkage.figures.screen.stage import Drawing, Paint, Stage

__all__ = ["Drawing", "Paint", "Stage"]
