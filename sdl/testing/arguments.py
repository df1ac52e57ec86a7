"""Arguments to try an action with: the author's, or made up from the types; and nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast, get_origin

from pydantic import TypeAdapter

from sdl.model.action import Operation
from sdl.model.data import JsonValue
from sdl.model.labware import Plate, Well

TryOut = Mapping[str, Mapping[str, object]]
"""Arguments by action, as Python values or as plain JSON."""

_Schema = Mapping[str, JsonValue]


def tried(operation: Operation, try_out: TryOut) -> dict[str, JsonValue]:
    """Plain JSON to call an action with. AssertionError if the author's do not fit its types."""
    given = try_out.get(operation.name)
    try:
        if given is not None:
            return operation.dump_arguments(operation.bind((), given))
        kinds = {name: operation.parameters[name] for name in sorted(operation.required)}
        return operation.dump_arguments({name: _made_up(kind) for name, kind in kinds.items()})
    except TypeError as error:
        raise AssertionError(
            f"{operation.name}: no arguments to try it with ({error}); {how_to_give(operation)}"
        ) from error


def how_to_give(operation: Operation) -> str:
    """What an author has to write."""
    names = ", ".join(f'"{name}": ...' for name in operation.parameters)
    return f'give some that work: driver_contract(..., try_out={{"{operation.name}": {{{names}}}}})'


def nonsense(operation: Operation) -> dict[str, object] | None:
    """Arguments of the right types that no instrument can make sense of.

    None where no value of these types is certain to be nonsense.
    """
    values = {name: _senseless(kind) for name, kind in operation.parameters.items()}
    if all(value is None or isinstance(value, int | str) for value in values.values()):
        return None
    return {
        name: _made_up(operation.parameters[name]) if value is None else value
        for name, value in values.items()
        if value is not None or name in operation.required
    }


def _senseless(kind: object) -> object:
    values: dict[object, object] = {
        Well: Well("no-such-plate", "Z99"),
        Plate: Plate("no-such-plate"),
        float: float("nan"),
        int: -1,
        str: "no such thing",
    }
    is_mapping = get_origin(kind) in (dict, Mapping)
    return {"no-such-thing": -1.0} if is_mapping else values.get(kind)


def number_in(value: JsonValue) -> float | None:
    """The first number in an argument; None if there is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for each in inside if (found := number_in(each)) is not None), None)


def schema_of(kind: object) -> _Schema:
    """The JSON Schema of one argument."""
    return cast("_Schema", TypeAdapter(cast("type[object]", kind)).json_schema())


def _made_up(kind: object) -> object:
    if kind is Well:
        return Well("plate-1", "A1")
    if kind is Plate:
        return Plate("plate-1")
    schema = schema_of(kind)
    return _value(schema, cast("Mapping[str, _Schema]", schema.get("$defs", {})))


def _value(schema: _Schema, parts: Mapping[str, _Schema]) -> JsonValue:
    """The plainest value that a schema allows."""
    for word in ("default", "const"):
        if word in schema:
            return schema[word]
    match schema:
        case {"$ref": str(name)}:
            return _value(parts[name.rpartition("/")[2]], parts)
        case {"enum": [first, *_]} | {"examples": [first, *_]}:
            return first
        case {"anyOf": list(choices)}:
            return _value(cast("_Schema", choices[0]), parts)
        case {"type": "object", "properties": dict(properties)}:
            required = cast("list[str]", schema.get("required", []))
            return {name: _value(cast("_Schema", properties[name]), parts) for name in required}
        case {"type": "array", "prefixItems": list(items)}:
            return [_value(cast("_Schema", each), parts) for each in items]
        case {"type": "array", "items": dict(item), "minItems": int(count)}:
            return [_value(cast("_Schema", item), parts)] * count
        case {"type": "number" | "integer"}:
            return _number(schema)
        case {"type": "string"}:
            return "x" * int(cast("int", schema.get("minLength", 1)))
        case {"type": "boolean"}:
            return False
        case {"type": "array"}:
            return []
        case {"type": "object"}:
            return {}
    return None


def _number(schema: _Schema) -> float | int:
    """In the middle of its bounds; one away from the only bound; 1 where there is none."""
    low = _first(schema, "minimum", "exclusiveMinimum")
    high = _first(schema, "maximum", "exclusiveMaximum")
    if low is not None and high is not None:
        value = (low + high) / 2.0
    elif high is not None:
        value = high - 1.0
    else:
        value = 1.0 if low is None else low + 1.0
    return int(value) if schema.get("type") == "integer" else value


def _first(schema: _Schema, *words: str) -> float | None:
    found = [schema[word] for word in words if word in schema]
    return float(cast("float", found[0])) if found else None
