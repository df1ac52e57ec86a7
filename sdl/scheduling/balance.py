"""Which machine each operation of a flexible shop goes to, if only the loads counted."""

from __future__ import annotations

from sdl.scheduling.shop import Shop


def balanced_modes(shop: Shop) -> list[int]:
    """A mode for each operation such that the heaviest load is small.

    Every operation begins on its quickest machine. Then, while that makes the loads more even,
    one moves off a machine, or two change places. Rules that take the first free machine spend
    work on slow ones: where machines differ and are busy, the balance is worth more.
    """
    modes = [
        min(range(len(choice)), key=lambda one, choice=choice: choice[one][1])  # type: ignore[misc]
        for choice in shop.options
    ]
    load = [0] * shop.machines
    for choice, mode in zip(shop.options, modes, strict=True):
        load[choice[mode][0]] += choice[mode][1]
    while (move := _best_move(shop, modes, load)) is not None:
        at, mode = move
        for sign, one in ((-1, modes[at]), (1, mode)):
            machine, took = shop.options[at][one]
            load[machine] += sign * took
        modes[at] = mode
    return modes


def _best_move(shop: Shop, modes: list[int], load: list[int]) -> tuple[int, int] | None:
    """The move that lowers the sum of squared loads the most; None if none does."""
    best, best_gain = None, 0
    for at, choice in enumerate(shop.options):
        machine, took = choice[modes[at]]
        for mode, (other, its) in enumerate(choice):
            if other == machine:
                continue
            gain = 2 * took * load[machine] - took * took - 2 * its * load[other] - its * its
            if gain > best_gain:
                best, best_gain = (at, mode), gain
    return best
