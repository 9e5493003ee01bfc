"""The lesson, from real runs: each exhibit with its claims, its figures and what was measured."""

from shrinkage.lesson.exhibited import Claim, Exhibited, Job, LessonExhibit, Setting, judged

__all__ = ["Claim", "Exhibited", "Job", "LessonExhibit", "Setting", "judged"]
