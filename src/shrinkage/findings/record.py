"""The four findings of a run, as one record that every view shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shrinkage.detect import Diagnosis, diagnose
from shrinkage.errors import ShrinkageError
from shrinkage.exhibits import Record
from shrinkage.scores import Failures, PathPoint, path
from shrinkage.study import Study
from shrinkage.tune import Plan, Selection, select
from shrinkage.tune.joint import Joint
from shrinkage.verify import Committee, Verification, committee_of, verify
from shrinkage.verify.large import settle


@dataclass(frozen=True, eq=False)
class Findings:
    """What a study says: the diagnosis, the choice, and its effect on test set and weights.

    Parameters
    ----------
    study : Study
        What everything below is a pure function of.
    plan : Plan
        What was to be tried.
    points : tuple of PathPoint
        The λ path, with the plan's metric as score.
    diagnosis : Diagnosis
        Does the unpenalized network overfit?
    minimum, one_standard_error : Selection
        The two rules.
    selection : Selection
        The one that the plan's rule recommends and that was verified.
    verification : Verification or None
        None when the refits are missing; `notes` then says why.
    notes : tuple of str
        What is missing or was left out, in sentences.
    stage : str or None, default None
        The stage of the search in which the run was interrupted; None when it was not.
    exhibits : tuple of Record, default ()
        What was asked for beside the search.
    joint : Joint or None, default None
        The joint search that the study comes from; None for a λ path.
    committee : Committee or None, default None
        The selection's refits averaged, beside one of them; None when there are fewer than two.
    """

    study: Study
    plan: Plan
    points: tuple[PathPoint, ...]
    diagnosis: Diagnosis
    minimum: Selection
    one_standard_error: Selection
    selection: Selection
    verification: Verification | None
    notes: tuple[str, ...]
    stage: str | None = None
    exhibits: tuple[Record, ...] = ()
    joint: Joint | None = None
    committee: Committee | None = None

    @property
    def recommended(self) -> PathPoint | None:
        """The point whose penalty is worth adding; None for no penalty.

        That of the selection where it validates better beyond noise, or, as a best guess, where
        the network overfits and nothing helps beyond noise. The diagnosis has the last word: it
        measures the gain on folds that had no part in choosing.
        """
        point, facts = self.selection.point, self.diagnosis
        if point.penalty is None:
            return None
        if self.joint is not None:
            gain = self.joint.gain
            return point if gain is None or gain.estimate > 0 else None
        guess = facts.verdict == "overfits" and not facts.stopping_helps
        return point if facts.penalty_helps or guess else None

    @property
    def contradicted(self) -> bool:
        """Whether the penalty is worse on the untouched rows, beyond noise."""
        found = self.verification
        return (
            self.selection.point.penalty is not None
            and found is not None
            and bool(found.effects)
            and found.effects[0].outcome == "worse"
        )

    @property
    def not_run(self) -> tuple[str, ...]:
        """What an interruption left out altogether."""
        names = list(self.stages)
        if self.stage not in names:
            return ()
        automatic = self.plan.lambdas is None
        later = names[names.index(self.stage) + 1 :]
        # Whether anything is relaxed is not known before the choice.
        offered = {"relax"} if automatic else {"relax", "refine"}
        return tuple(self.stages[name][1] for name in later if name not in offered)

    @property
    def stages(self) -> Mapping[str, tuple[str, str]]:
        """The search's stages: what is being done in each, and what is missing without it."""
        return _STAGES if self.joint is None else _JOINT_STAGES

    @property
    def choice(self) -> str:
        """The selection's sentence, and whether it is recommended."""
        chosen = self.selection
        if self.joint is not None:
            return " ".join(self.joint.sentences)
        if chosen.point.penalty is None or self.recommended is not None:
            return chosen.sentence + self._other_rule()
        instead = "stopping early is" if self.diagnosis.stopping_helps else "no penalty is"
        return (
            f"{chosen.title}: {chosen.point.label}, with {chosen.numbers} ({chosen.basis}) — not "
            f"beyond noise, so {instead} recommended."
        )

    @property
    def sentences(self) -> tuple[tuple[str, str], ...]:
        """The findings, and what is left where the penalty pruned: (heading, sentence)."""
        four = [
            ("Diagnosis", f"{self.diagnosis.sentence} {self.diagnosis.prescription}"),
            ("Best penalty" if self.joint is None else "Best recipe", self.choice),
        ]
        if self.verification is not None:
            against = ""
            if self.contradicted and self.recommended is not None:
                against = " This contradicts the choice: do not rely on this penalty."
            together = f" {self.committee.sentence}" if self.committee and not against else ""
            four.append(("Held-out data", self.verification.sentence + against + together))
            four.append(("Weights", self.verification.weights_sentence))
            simple = self.verification.simplicity
            if simple is not None:
                four.append(("Simplicity", simple.sentence))
            small, relaxed = self.verification.shrinking, self.verification.relaxation
            if small is not None:
                four.append(("Smaller network", small.sentences))
            if relaxed is not None:
                four.append(("Relaxed refit", relaxed.sentence))
        return tuple(four)

    def _other_rule(self) -> str:
        minimum, strict = self.minimum.point, self.one_standard_error.point
        if minimum.label == strict.label:
            return ""
        if self.selection is self.minimum:
            return f" The strongest within one standard error of it is {strict.label}."
        return f" The best itself is {minimum.label}."


_STAGES = {
    "bracket": ("looking for the range of λ", "the range of λ"),
    "path": ("training along λ", "the path over all folds"),
    "refine": ("refining near the best λ", "the refinement near the best λ"),
    "refits": ("refitting on every training row", "the refits on every training row"),
    "relax": ("training once more what the penalty left", "the relaxed refits"),
}
"""The search's stages: what is being done in each, and what is missing without it."""


_JOINT_STAGES = {
    "baseline": ("training without regularization", "the network without regularization"),
    "joint": ("looking for the best recipe", "the joint search"),
    "refits": _STAGES["refits"],
    "ablation": ("removing one ingredient at a time", "the ablation"),
}
"""Those of a joint search."""


def find(
    study: Study, plan: Plan, *, stage: str | None = None, joint: Joint | None = None
) -> Findings:
    """Compute every finding of a study.

    Parameters
    ----------
    study : Study
        Complete, or what an interruption left.
    plan : Plan
        Its settings: metric and rule.
    stage : str, optional
        :attr:`shrinkage.tune.Search.stage` at the interruption of a search that was given up.
    joint : Joint, optional
        The record of a joint search, when the study is one's.

    Returns
    -------
    Findings
        With `verification` None when the study has no refits to verify.

    Raises
    ------
    ShrinkageError
        When not even the diagnosis can be made (no unpenalized fit finished, or all failed).
    """
    settle(study.data)
    diagnosis = diagnose(study)
    minimum = select(study, "minimum", plan.metric)
    one_standard_error = select(study, "one_standard_error", plan.metric)
    # Recipes differ in more than λ, so that the strongest of them is not the simplest.
    strict = plan.rule == "one_standard_error" and joint is None
    selection = one_standard_error if strict else minimum
    if stage in ("refits", "relax") and not study.missing:
        stage = None  # the signal came after the last fit
    notes = _failed(study)
    verification: Verification | None = None
    try:
        verification = verify(study, selection, study.data.test, diagnosis)
    except ShrinkageError as error:
        notes.append(f"Not verified: {error}.")
    found = Findings(
        study=study,
        plan=plan,
        points=path(study, plan.metric),
        diagnosis=diagnosis,
        minimum=minimum,
        one_standard_error=one_standard_error,
        selection=selection,
        verification=verification,
        notes=tuple(notes),
        stage=stage,
        joint=joint,
        committee=None if verification is None else _committee(study, selection, joint),
    )
    settle(study.data)
    if joint is not None and joint.best is not None and found.recommended is not None:
        best = joint.best.candidate
        planned = replace(plan, network=best.network, training=best.training)
        found = replace(found, plan=planned)
    return replace(found, notes=(*_interrupted(found), *notes))


def _committee(study: Study, selection: Selection, joint: Joint | None) -> Committee | None:
    """The selection's refits, or those that a joint search chose, averaged."""
    if joint is not None:
        return committee_of(joint.members, "the committee", study.data, study.data.test)
    point = selection.point
    fits = [
        fit
        for fit in study.principal.refits
        if (fit.trial.penalty, fit.trial.lam) == (point.penalty, point.lam)
    ]
    return committee_of(fits, point.label, study.data, study.data.test)


def _interrupted(found: Findings) -> list[str]:
    """What an interruption left out: trials of the stages that began, and the other stages."""
    study = found.study
    missing = len(study.missing)
    if not missing and found.stage is None:
        return []
    doing = found.stages.get(found.stage or "", ("", ""))[0]
    while_ = f" while {doing}" if doing else ""
    finished = len(study.fits) if found.joint is None else found.joint.fits
    later = list(found.not_run)
    listed = " and ".join(filter(None, [", ".join(later[:-1]), *later[-1:]]))
    begun = f", {missing} that had been planned so far {'is' if missing == 1 else 'are'} missing"
    return [
        f"The run was interrupted{while_}: {finished} fits are finished"
        + (begun if missing else "")
        + (f"; {listed} did not run" if listed else "")
        + ". All numbers rest on the finished fits."
    ]


def _failed(study: Study) -> list[str]:
    """Fits that are left out because they have no finite losses."""
    failures = Failures.of(study.fits)
    if not failures.count:
        return []
    first = next(fit for fit in study.fits if Failures.of([fit]).count)
    how = first.message
    if first.ok:
        how = "diverged: its loss is not finite on the validation rows; lower the learning rate"
    number = f"{failures.count} of {len(study.fits)} fits"
    return [f"{number} {failures.verb} and are left out; the first {how}."]
