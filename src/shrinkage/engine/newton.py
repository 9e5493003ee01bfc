"""Two methods that lead the penalized loss to a stationary point, on an active set of weights.

Active are the weights that are not zero, which keep their sign or become exactly zero, and zeros
that the gradient pulls away from zero. Limited-memory BFGS in the orthants of the weights (Andrew &
Gao 2007) makes way at first; Newton's method with conjugate gradients in a trust region (Steihaug
1983), preconditioned by the curvature that the last conjugate gradients met (Morales & Nocedal
2000), makes the end of it. Products with the Hessian are differences of gradients.
"""

from __future__ import annotations

import numpy as np

from shrinkage.engine.objective import Floats, Mask, Objective, State, dot, norm

ENOUGH = 1e-6
"""Distance to stationarity, in units of λ, at which nothing is left to do."""
_MEMORY = 20
"""Pairs of steps and changes of the gradient that are remembered."""
ENTRY = 0.1
"""Zeros may leave zero once the others are this much closer to stationarity than they are."""
_CURVATURE = 1e-14
_SUFFICIENT = 1e-4
_MOST_SHORTER = 30
_MOST_FAILURES = 6
_MOST_PRODUCTS = 200


class _Curvature:
    """An approximate inverse Hessian from the last pairs of steps and changes of the gradient.

    References
    ----------
    Nocedal & Wright (2006), "Numerical Optimization", algorithm 7.4.
    """

    def __init__(self) -> None:
        self._pairs: list[tuple[Floats, Floats, float]] = []

    def __bool__(self) -> bool:
        return bool(self._pairs)

    def add(self, step: Floats, change: Floats) -> None:
        """Remember a pair along which the curvature is positive."""
        product = dot(step, change)
        if product > 1e-10 * norm(step) * norm(change):
            self._pairs = [*self._pairs[1 - _MEMORY :], (step, change, 1.0 / product)]

    def within(self, free: Mask) -> _Curvature:
        """What is known of the curvature among the free parameters."""
        found = _Curvature()
        for step, change, _ in self._pairs:
            found.add(np.where(free, step, 0.0), np.where(free, change, 0.0))
        return found

    def solve(self, gradient: Floats) -> Floats:
        """The inverse Hessian times a vector; the vector itself as long as nothing is known."""
        if not self._pairs:
            return gradient
        direction, shares = gradient, []
        for step, change, scale in reversed(self._pairs):
            share = scale * dot(step, direction)
            shares.append(share)
            direction = direction - share * change
        _, change, scale = self._pairs[-1]
        direction = direction / (scale * dot(change, change))
        for (step, change, scale), share in zip(self._pairs, reversed(shares)):
            direction = direction + (share - scale * dot(change, direction)) * step
        return direction


def _search(
    objective: Objective, state: State, step: Floats, shrink: float, until: int
) -> State | None:
    """The first point along a step at which the value falls enough; None where none is found."""
    for _ in range(_MOST_SHORTER):
        if objective.passes.taken >= until:
            break
        x = objective.moved(state, step)
        new = objective.at(x)
        expected = dot(state.slope, x - state.x)
        if new.value < state.value and new.value <= state.value + _SUFFICIENT * expected:
            return new
        step = shrink * step
    return None


def quasi_newton(objective: Objective, state: State, until: int) -> tuple[State, State]:
    """Steps of limited-memory BFGS in orthants; the last point, and the most stationary."""
    curvature, best = _Curvature(), state
    while state.distance > ENOUGH and objective.passes.taken < until:
        free = objective.free(state)
        direction = np.where(free, -curvature.solve(np.where(free, state.slope, 0.0)), 0.0)
        if objective.l1:
            # A zero leaves zero only against its own slope.
            uphill = (state.x == 0.0) & (direction * state.slope > 0.0)
            uphill[objective.penalized :] = False
            direction[uphill] = 0.0
        if not curvature or dot(direction, state.slope) >= 0.0:
            curvature = _Curvature()
            direction = -state.slope / max(1.0, float(np.abs(state.slope).sum()))
        new = _search(objective, state, direction, 0.3, until)
        if new is None:
            if not curvature:
                break
            curvature = _Curvature()
            continue
        curvature.add(new.x - state.x, new.smooth - state.smooth)
        state = new
        best = min(best, state, key=lambda one: one.distance)
    return state, best


def _to_boundary(position: Floats, direction: Floats, radius: float) -> float:
    """How far along a direction the trust region ends."""
    a, b = dot(direction, direction), dot(position, direction)
    c = dot(position, position) - radius**2
    return float((np.sqrt(max(b * b - a * c, 0.0)) - b) / a)


def _model_step(
    objective: Objective, state: State, free: Mask, radius: float, known: _Curvature, until: int
) -> tuple[Floats, float, bool, _Curvature]:
    """Steihaug's step: its fall by the model, whether it ends at the boundary, curvature met."""
    gradient = np.where(free, state.slope, 0.0)
    size = norm(gradient)
    enough = size * min(0.1, float(np.sqrt(size / objective.unit)))
    step, product = np.zeros_like(gradient), np.zeros_like(gradient)
    residual, conditioned = gradient, known.solve(gradient)
    direction, rest = -conditioned, dot(gradient, conditioned)
    met, far = _Curvature(), False
    for _ in range(_MOST_PRODUCTS):
        length = norm(direction)
        apart = 1e-6 * (1.0 + norm(state.x)) / length
        _, other = objective.smooth_gradient(state.x + apart * direction)
        image = np.where(free, (other - state.smooth) / apart, 0.0)
        curvature = dot(direction, image)
        bent = curvature > _CURVATURE * length**2
        share = rest / curvature if bent else np.inf
        far = not bent or norm(step + share * direction) >= radius
        if far:
            share = _to_boundary(step, direction, radius)
        step, product = step + share * direction, product + share * image
        if bent:
            met.add(direction, image)
        residual = residual + share * image
        if far or norm(residual) < enough or until - objective.passes.taken < 2:
            break
        conditioned = known.solve(residual)
        rest, before = dot(residual, conditioned), rest
        direction = -conditioned + (rest / before) * direction
    fall = -dot(gradient, step) - 0.5 * dot(step, product)
    return step, fall, far, met


def newton(objective: Objective, state: State, until: int) -> tuple[State, State]:
    """Newton steps in a trust region on the active set; the last point, and the most stationary."""
    own = slice(0, objective.penalized)
    best, known, radius, failures = state, _Curvature(), 1.0, 0
    free = ~objective.fixed
    if objective.l1:
        free[own] &= state.x[own] != 0.0
    while state.distance > ENOUGH and failures <= _MOST_FAILURES:
        if until - objective.passes.taken < 2:
            break
        if objective.l1:
            _let_enter(objective, state, free)
        step, fall, far, met = _model_step(
            objective, state, free, radius, known.within(free), until
        )
        known = met or known
        length = norm(step)
        new = _search(objective, state, step, 0.25, until)
        if new is None:
            radius, failures = 0.05 * length, failures + 1
            continue
        failures = 0
        taken = norm(new.x - state.x)
        agreement = (state.value - new.value) / fall if fall > 0.0 else 0.0
        if agreement < 0.25:
            radius = max(0.25 * min(taken, length), 1e-12)
        elif agreement > 0.75 and far:
            radius *= 3.0
        state = new
        best = min(best, state, key=lambda one: one.distance)
    return state, best


def _let_enter(objective: Objective, state: State, free: Mask) -> None:
    """Take weights that became zero out of `free`, and zeros in once they matter most."""
    own = slice(0, objective.penalized)
    zero, slope = state.x[own] == 0.0, np.abs(state.slope)
    free[own] &= ~zero
    outer = float(slope[own][zero].max(initial=0.0))
    if float(slope[free].max(initial=0.0)) <= ENTRY * outer:
        free[own] |= zero & (slope[own] > ENTRY * outer)
