"""One knapsack: parts of items, whole items depth first, and by a core where that takes long; compiled.

Items stand in order of profit a unit of size, the best first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

NODES = 100  # depth first, at most: beyond them a core is the quicker
STATES, CHANGES = 4096, 200_000  # of a core, at most; beyond them parts of items bound the knapsack
NOISE = 1e-9  # of sums of sizes: items that fill the room to the last fit


@compiled
def fill(size: np.ndarray, profit: np.ndarray, count: int, room: float) -> tuple[float, float]:
    """The most profit from parts of items in the order given, and what one more unit of room would bring."""
    value = 0.0
    for k in range(count):
        if size[k] > room:
            each = profit[k] / size[k]
            return value + each * room, each
        room -= size[k]
        value += profit[k]
    return value, 0.0


@compiled
def search(
    size: np.ndarray, profit: np.ndarray, count: int, room: float, above: float, best: np.ndarray, trial: np.ndarray
) -> float:
    """The most profit from whole items: depth first (Horowitz and Sahni 1974), then by :func:`by_core`.

    Returns
    -------
    The optimum, with its items in ``best``; ``above`` and ``best`` untouched when it is not above that. In the rare
    case that the core grows too large, what parts of items bring, and in ``best`` the best items found.
    """
    trial[:count] = False
    most = room = room + NOISE
    top, value, k, nodes = above, 0.0, 0, 0
    while True:
        rest, _ = fill(size[k:], profit[k:], count - k, room)
        if value + rest > top + 1e-9:
            while k < count:
                if size[k] <= room:
                    trial[k] = True
                    room -= size[k]
                    value += profit[k]
                    k += 1
                    continue
                k += 1
                rest, _ = fill(size[k:], profit[k:], count - k, room)
                if value + rest <= top + 1e-9:
                    break
            if k == count and value > top + 1e-9:
                top = value
                best[:count] = trial[:count]
        last = min(k, count) - 1
        while last >= 0 and not trial[last]:
            last -= 1
        if last < 0:
            return float(top)
        nodes += 1
        if nodes > NODES:
            return float(by_core(size, profit, count, most, top, best))
        trial[last] = False
        room += size[last]
        value -= profit[last]
        k = last + 1


class States(NamedTuple):
    """Choices of whole items, lighter and less worth ones first.

    Parameters
    ----------
    size, profit : of all their items
    change : the last change that led to each from the items that fit in their order, -1 for none
    """

    size: np.ndarray
    profit: np.ndarray
    change: np.ndarray


class Changes(NamedTuple):
    """How choices came about.

    Parameters
    ----------
    item : what is put in, or taken out
    before : the change before, -1 for none
    """

    item: np.ndarray
    before: np.ndarray


@compiled
def by_core(size: np.ndarray, profit: np.ndarray, count: int, room: float, above: float, best: np.ndarray) -> float:
    """The most profit from whole items, as :func:`search` has it: choices of a core that grows (Pisinger 1997).

    The items that fit in their order are a first choice. Items round the first that does not fit, from there outwards,
    are put in or taken out: of all choices those stay that none is lighter and worth more than, and whose rest, filled
    with parts of items, could still be the best (Operations Research 45:758).
    """
    split, load, value = 0, 0.0, 0.0
    while split < count and load + size[split] <= room:
        load += size[split]
        value += profit[split]
        split += 1
    if split == count:
        if value > above + 1e-9:
            best[:count] = True
            return float(value)
        return above
    each = profit[split] / size[split]
    limit = value + each * (room - load)
    now = States(np.empty(STATES), np.empty(STATES), np.empty(STATES, np.int64))
    then = States(np.empty(STATES), np.empty(STATES), np.empty(STATES, np.int64))
    changes = Changes(np.empty(CHANGES, np.int64), np.empty(CHANGES, np.int64))
    now.size[0], now.profit[0], now.change[0] = load, value, -1
    left, right, top, length, made, found = split, split, above, 1, 0, -1
    if value > top + 1e-9:
        top = value
        best[:split] = True
        best[split:count] = False
    outwards = False
    while length > 0 and (left > 0 or right < count):
        outwards = not outwards
        if left == 0 or (outwards and right < count):
            item, right = right, right + 1
            more, worth = size[item], profit[item]
        else:
            item = left = left - 1
            more, worth = -size[item], -profit[item]
        if limit + worth - each * more <= top + 1e-9:
            continue  # a choice with this change is no better
        gain = profit[right] / size[right] if right < count else 0.0
        loss = profit[left - 1] / size[left - 1] if left > 0 and size[left - 1] > 0.0 else np.inf
        length, made, top, found = _changed(
            now, length, then, changes, made, item, more, worth, room, gain, loss, top, found
        )
        if length == STATES or made > CHANGES - 2 * STATES:
            return float(limit)
        now, then = then, now
    if found >= 0:
        for k in range(count):
            best[k] = k < split
        while found >= 0:
            best[changes.item[found]] = not best[changes.item[found]]
            found = changes.before[found]
    return float(top)


@compiled
def _changed(
    now: States,
    length: int,
    then: States,
    changes: Changes,
    made: int,
    item: int,
    more: float,
    worth: float,
    room: float,
    gain: float,
    loss: float,
    top: float,
    found: int,
) -> tuple[int, int, float, int]:
    """The choices with an item changed or not, in ``then``.

    Parameters
    ----------
    length, made : of ``now`` and ``changes``
    more, worth : what the change adds to size and profit
    gain, loss : what a unit of room brings at most, and costs at least, by changes of other items
    top, found : the best profit so far, and the change that led to it

    Returns
    -------
    The new length, made, top and found.
    """
    a, b, kept, highest = 0, 0, 0, -np.inf
    while (a < length or b < length) and kept < STATES:
        same = b >= length
        if not same and a < length:
            ahead = now.size[b] + more - now.size[a]
            same = ahead > 0.0 or (ahead == 0.0 and now.profit[a] >= now.profit[b] + worth)
        if same:
            size, profit, change = now.size[a], now.profit[a], now.change[a]
            a += 1
        else:
            size, profit, change = now.size[b] + more, now.profit[b] + worth, now.change[b]
            b += 1
        if profit <= highest:
            continue
        better = size <= room and profit > top + 1e-9
        if better:
            top = profit
        rest = (room - size) * gain if size <= room else (room - size) * loss
        stays = profit + rest > top + 1e-9
        if not same and (better or stays):
            changes.item[made], changes.before[made] = item, change
            change, made = made, made + 1
        if better:
            found = change
        if stays:
            then.size[kept], then.profit[kept], then.change[kept] = size, profit, change
            kept += 1
            highest = profit
    return kept, made, top, found
