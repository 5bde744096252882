"""Several numbers at once in a processor's wide registers, for compiled functions.

numba keeps every array in memory and goes through it number by number; a type of its own for 16 numbers, held in
registers while a node's edges are gone through, makes a sweep ten times as fast. LLVM lays the registers out over
whatever the machine has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import cgutils, types
from numba.extending import models, register_model

LANES = 16
"""Numbers together: two cache lines."""
WIDTH = 4
"""Numbers in a register; LLVM makes poor code of comparisons over wider vectors."""
intrinsic: Any = extending.intrinsic  # it takes the compiler's context away from the function it wraps
_REGISTER = ir.VectorType(ir.DoubleType(), WIDTH)
_REGISTERS = ir.ArrayType(_REGISTER, LANES // WIDTH)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__(name=f"lanes({LANES} x float64)")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _REGISTERS)


_LANES = _Lanes()


def _lane_by_lane(builder: Any, work: Callable[..., Any], *lanes: Any) -> Any:
    """The result of work on each register of some lanes."""
    result = ir.Constant(_REGISTERS, ir.Undefined)
    for i in range(LANES // WIDTH):
        result = builder.insert_value(result, work(*(builder.extract_value(one, i) for one in lanes)), i)
    return result


def _places(context: Any, builder: Any, signature: Any, args: Any) -> list[Any]:
    """Pointers to the registers' worth of a table at a row and from a column on."""
    table, row, column = signature.args[:3]
    at = [context.cast(builder, args[1], row, types.intp), context.cast(builder, args[2], column, types.intp)]
    array = context.make_array(table)(context, builder, args[0])
    start = cgutils.get_item_pointer(context, builder, table, array, at, wraparound=False)
    start = builder.bitcast(start, _REGISTER.as_pointer())
    return [builder.gep(start, [ir.Constant(ir.IntType(64), i)]) for i in range(LANES // WIDTH)]


@intrinsic
def load(_: Any, table: Any, row: Any, column: Any) -> Any:
    """``table[row, column : column + LANES]``."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        result = ir.Constant(_REGISTERS, ir.Undefined)
        for i, place in enumerate(_places(context, builder, signature, args)):
            result = builder.insert_value(result, builder.load(place, align=8), i)
        return result

    return _LANES(table, row, column), build


@intrinsic
def store(_: Any, table: Any, row: Any, column: Any, lanes: Any) -> Any:
    """``table[row, column : column + LANES] = lanes``."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for i, place in enumerate(_places(context, builder, signature, args)):
            builder.store(builder.extract_value(args[3], i), place, align=8)
        return context.get_dummy_value()

    return types.none(table, row, column, lanes), build


@intrinsic
def plus(_: Any, _lanes: Any, _number: Any) -> Any:
    """A number added to every lane."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        none, first = ir.Constant(_REGISTER, ir.Undefined), ir.Constant(ir.IntType(32), 0)
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        number = builder.shuffle_vector(builder.insert_element(none, args[1], first), none, everywhere)
        return _lane_by_lane(builder, lambda register: builder.fadd(register, number), args[0])

    return _LANES(_LANES, types.float64), build


@intrinsic
def least(_: Any, _one: Any, _other: Any) -> Any:
    """The lesser, lane by lane."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        return _lane_by_lane(builder, lambda a, b: builder.select(builder.fcmp_ordered("<", a, b), a, b), *args)

    return _LANES(_LANES, _LANES), build


@intrinsic
def of_least(_: Any, _one: Any, _its: Any, _other: Any, _others: Any) -> Any:
    """Lane by lane the second number of the lesser pair."""

    def build(_: Any, builder: Any, __: Any, args: Any) -> Any:
        def second(a: Any, p: Any, b: Any, q: Any) -> Any:
            less = builder.select(builder.fcmp_ordered("<", p, q), p, q)
            tied = builder.select(builder.fcmp_ordered("==", a, b), less, q)
            return builder.select(builder.fcmp_ordered("<", a, b), p, tied)

        return _lane_by_lane(builder, second, *args)

    return _LANES(_LANES, _LANES, _LANES, _LANES), build
