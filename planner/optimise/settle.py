"""Whole demand points put into given open sites: one by one, then moved along chains while that pays; compiled.

A heuristic of generalised assignment (Martello and Toth 1990, ch. 7): what it finds is a valid answer, never a proof.
A chain moves a demand point to another site, one of that site's to a third, and so on, to where there is room or back
to where it began (cyclic exchanges: Thompson and Psaraftis 1993, Operations Research 41:935; for location with whole
demand points: Ahuja et al. 2004, Management Science 50:749).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from planner.compiled import compiled

GAIN = 1e-7


class Packing(NamedTuple):
    """Whole demand points and open sites, in the arrays of the compiled loops.

    Parameters
    ----------
    first, site, cost : arcs by demand point, by site within each: those of i are ``first[i]:first[i + 1]``
    weight : (n_demand,)
    seats, step_seats, max_steps, step_cost : (n_site,)
    is_open : (n_site,)
    over : what a seat too many costs
    """

    first: np.ndarray
    site: np.ndarray
    cost: np.ndarray
    weight: np.ndarray
    seats: np.ndarray
    step_seats: np.ndarray
    max_steps: np.ndarray
    step_cost: np.ndarray
    is_open: np.ndarray
    over: float


class Members(NamedTuple):
    """Who is where; all of it is changed in place.

    Parameters
    ----------
    at : (n_demand,) the arc of each
    load, spent : (n_site,) what each site serves, and what its seats cost
    head, after, before : (n_site,), (n_demand,), (n_demand,) the members of each site as chains, -1 at their ends
    """

    at: np.ndarray
    load: np.ndarray
    spent: np.ndarray
    head: np.ndarray
    after: np.ndarray
    before: np.ndarray


@compiled
def filling(packing: Packing, j: int, load: float) -> float:
    """What the seats for this load cost at a site: whole steps, then ``over`` for every seat that is missing."""
    short: float = load - packing.seats[j]
    if short <= 1e-9:
        return 0.0
    step_seats: float = packing.step_seats[j]
    most: float = packing.max_steps[j]
    each: float = packing.step_cost[j]
    if most > 0.0 and step_seats > 0.0:
        steps = float(np.ceil(short / step_seats - 1e-9))
        if steps <= most:
            return steps * each
        return most * each + packing.over * (short - most * step_seats)
    return packing.over * short


@compiled
def place(packing: Packing, order: np.ndarray, at: np.ndarray) -> None:
    """Every demand point of ``order`` at the arc that adds least now; ``at`` (n_demand,), its arc or -1, is set."""
    first, site, cost, weight = packing.first, packing.site, packing.cost, packing.weight
    load = np.zeros(len(packing.seats))
    for i in range(len(at)):
        if at[i] >= 0:
            load[site[at[i]]] += weight[i]
    for i in order:
        best = np.inf
        for a in range(first[i], first[i + 1]):
            j = site[a]
            if not packing.is_open[j]:
                continue
            more = cost[a] + filling(packing, j, load[j] + weight[i]) - filling(packing, j, load[j])
            if more < best:
                best = more
                at[i] = a
        if at[i] >= 0:
            load[site[at[i]]] += weight[i]


class Chains(NamedTuple):
    """Beginnings of chains from one demand point, as a tree; those of the same number of moves stand together.

    Parameters
    ----------
    who : whom the last move puts out of its site; nobody has a place for it yet
    via : the beginning that this one lengthens, -1 for none
    arc : where that one's ``who`` goes
    change : what all of it costs so far
    """

    who: np.ndarray
    via: np.ndarray
    arc: np.ndarray
    change: np.ndarray


@compiled
def _chain(
    packing: Packing,
    members: Members,
    i: int,
    longest: int,
    widest: int,
    largest: float,
    chains: Chains,
    label: np.ndarray,
) -> tuple[int, int]:
    """The shortest chain from i that pays, the best of its length: its beginning, and the last arc; -1 where none does.

    Every beginning must pay by itself. That loses no cycle: of the moves of one that pays, some first ones pay wherever
    they end, if it is begun at the right one (Lin and Kernighan 1973, Operations Research 21:498).

    Parameters
    ----------
    largest : of the weights
    label : (n_demand,) -1, and left so
    """
    first, site, cost, weight, at = packing.first, packing.site, packing.cost, packing.weight, members.at
    home = site[at[i]]
    left = filling(packing, home, members.load[home] - weight[i])
    chains.who[0], chains.via[0], chains.arc[0], chains.change[0] = i, -1, -1, left - members.spent[home]
    low, high = 0, 1
    best, last, arc = -GAIN, -1, -1
    for length in range(longest):
        end = high
        for c in range(low, high):
            k = chains.who[c]
            for a in range(first[k], first[k + 1]):
                j = site[a]
                if j == site[at[k]] or not packing.is_open[j] or _is_on_way(packing, members, chains, c, j):
                    continue
                change = chains.change[c] + cost[a] - cost[at[k]]
                if j == home:
                    change += filling(packing, home, members.load[home] - weight[i] + weight[k]) - left
                    if change < best:
                        best, last, arc = change, c, a
                    continue
                change -= members.spent[j]
                load = members.load[j] + weight[k]
                if change + filling(packing, j, load) < best:
                    best, last, arc = change + filling(packing, j, load), c, a
                if length + 1 == longest or change + filling(packing, j, load - largest) >= -GAIN:
                    continue
                q = members.head[j]
                while q >= 0:
                    begun = change + filling(packing, j, load - weight[q])
                    if begun < -GAIN:
                        end = _keep(chains, label, high, end, widest, q, c, a, begun)
                    q = members.after[q]
        for c in range(high, end):
            label[chains.who[c]] = -1
        if last >= 0 or end == high:
            break
        low, high = high, end
    return last, arc


@compiled
def _is_on_way(packing: Packing, members: Members, chains: Chains, c: int, j: int) -> bool:
    """Whether a beginning has been at site j, from where it began aside."""
    while chains.via[c] >= 0:
        if packing.site[members.at[chains.who[c]]] == j:
            return True
        c = chains.via[c]
    return False


@compiled
def _keep(
    chains: Chains,
    label: np.ndarray,
    begin: int,
    end: int,
    widest: int,
    who: int,
    via: int,
    arc: int,
    change: float,
) -> int:
    """Keep a beginning among those from ``begin`` to ``end``, one for each demand point; where these then end."""
    c = label[who]
    if c < 0:
        if end < begin + widest:
            c, end = end, end + 1
            chains.change[c] = np.inf
        else:
            c = begin + int(np.argmax(chains.change[begin:end]))
    if change >= chains.change[c]:
        return end
    if label[who] < 0 and chains.change[c] < np.inf:
        label[chains.who[c]] = -1
    label[who] = c
    chains.who[c], chains.via[c], chains.arc[c], chains.change[c] = who, via, arc, change
    return end


@compiled
def _follow(packing: Packing, members: Members, chains: Chains, last: int, arc: int) -> None:
    """Make the moves of a chain."""
    while last >= 0:
        k = chains.who[last]
        _leave(packing, members, k)
        members.at[k] = arc
        _join(packing, members, k)
        arc, last = chains.arc[last], chains.via[last]


@compiled
def _join(packing: Packing, members: Members, i: int) -> None:
    """A demand point becomes a member of the site that its arc leads to."""
    j = packing.site[members.at[i]]
    head, after, before = members.head, members.after, members.before
    after[i], before[i] = head[j], -1
    if head[j] >= 0:
        before[head[j]] = i
    head[j] = i
    members.load[j] += packing.weight[i]
    members.spent[j] = filling(packing, j, members.load[j])


@compiled
def _leave(packing: Packing, members: Members, i: int) -> None:
    """It is one no longer."""
    j = packing.site[members.at[i]]
    head, after, before = members.head, members.after, members.before
    if before[i] >= 0:
        after[before[i]] = after[i]
    else:
        head[j] = after[i]
    if after[i] >= 0:
        before[after[i]] = before[i]
    members.load[j] -= packing.weight[i]
    members.spent[j] = filling(packing, j, members.load[j])


@compiled
def settle(packing: Packing, tries: int, longest: int, widest: int, at: np.ndarray) -> float:
    """Move demand points along chains until none pays or all had ``tries``; the cost of serving and of seats.

    Parameters
    ----------
    longest, widest : moves of a chain, and beginnings of chains of each length, that are looked at
    at : (n_demand,) the arc of each, to an open site; changed in place
    """
    m, n = len(packing.seats), len(at)
    members = Members(at, np.zeros(m), np.zeros(m), np.full(m, -1), np.full(n, -1), np.full(n, -1))
    for i in range(n):
        _join(packing, members, i)
    size = 1 + longest * widest
    chains = Chains(np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size))
    label = np.full(n, -1)
    largest = packing.weight.max() if n > 0 else 0.0
    idle = 0
    for _ in range(tries):
        for i in range(n):
            last, arc = _chain(packing, members, i, longest, widest, largest, chains, label)
            idle += 1
            if last >= 0:
                idle = 0
                _follow(packing, members, chains, last, arc)
            if idle >= n:
                break
        if idle >= n:
            break
    total = 0.0
    for i in range(n):
        total += packing.cost[at[i]]
    for j in range(m):
        total += members.spent[j]
    return total
