"""Statements written once in SQLAlchemy Core, compiled once per dialect for the bare driver.

SQLAlchemy's execution costs more than the drivers do; its statement language does not, because
it runs once. Columns use only BIGINT, INTEGER, TEXT, BOOLEAN and bytes, which both drivers hand
out as they are (SQLite's BOOLEAN as 0 or 1: read it through ``bool``).

A statement is a module constant with ``bindparam``s. One built anew for every call works and
costs some 200 µs. ``insert(table)`` and ``update(table).where(...)`` without ``values`` take their
columns from the names of the parameters.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import BindParameter, Insert, Update
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import iterate

Value = str | int | bool | bytes | None

Observer = Callable[[str, str], None]
"""Called with the kind (statement, begin, commit, rollback) and the SQL."""

_MOST_KEPT = 5_000


class Row(Protocol):
    """One row, read by column label (``row["name"]``) or position; ``dict(row)`` works.

    Drivers return it as it is: values are typed by the column, so they are Any here.
    """

    def __getitem__(self, key: str | int, /) -> Any: ...  # noqa: ANN401  -- what a driver read
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def keys(self) -> Iterable[str]:
        """The column labels."""
        ...


class Tx(Protocol):
    """What a transaction body may do; nothing else is awaited inside it."""

    async def one(self, statement: Executable, **params: Value) -> Row | None:
        """The first row, or None."""
        ...

    async def all(self, statement: Executable, **params: Value) -> list[Row]:
        """Every row."""
        ...

    async def run(self, statement: Executable, **params: Value) -> int:
        """The number of rows inserted, changed or deleted."""
        ...


class _Compiled:
    """SQL text, the names of its parameters in order, and the values written into it."""

    __slots__ = ("_fixed", "_open", "_order", "sql")

    def __init__(self, compiled: SQLCompiler) -> None:
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise TypeError(f"Python-side column defaults are not supported: {compiled}")
        given = {name for name, bind in compiled.binds.items() if bind.required}
        # Written out here for good: `column.in_(("a", "b"))` becomes two parameters with values.
        written = compiled.construct_expanded_state(dict.fromkeys(given))
        self.sql = written.statement
        self._order = tuple(written.positiontup or ())
        self._fixed = {
            name: value for name, value in written.parameters.items() if name not in given
        }
        self._open = len(set(self._order) - self._fixed.keys())

    def arguments(self, params: Mapping[str, Value]) -> list[Value]:
        if len(params) != self._open:
            self._complain(params)
        if not self._fixed:
            return [params[name] for name in self._order]
        fixed = self._fixed
        return [params[name] if name in params else fixed[name] for name in self._order]

    def _complain(self, params: Mapping[str, Value]) -> None:
        unknown = params.keys() - set(self._order)
        if unknown:
            raise TypeError(f"no such parameter {', '.join(sorted(unknown))} in: {self.sql}")


class _OpenColumns:
    """An insert or update without values: its columns are the parameters of each call."""

    __slots__ = ("_columns", "_keys", "by_names")

    def __init__(self, statement: Insert | Update) -> None:
        self.by_names: dict[tuple[str, ...], _Compiled] = {}
        self._columns = set(statement.table.c.keys())
        self._keys = {part.key for part in iterate(statement) if isinstance(part, BindParameter)}

    def columns(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are columns to write. Raises TypeError on unknown ones."""
        unknown = set(names) - self._columns - self._keys
        if unknown:
            raise TypeError(f"no such column or parameter: {', '.join(sorted(unknown))}")
        return [name for name in names if name not in self._keys]


class Compiler:
    """Turns (statement, parameters) into what the driver takes, remembering every statement."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._closed: dict[Executable, _Compiled] = {}
        self._open: dict[Executable, _OpenColumns] = {}

    def __call__(
        self, statement: Executable, params: Mapping[str, Value]
    ) -> tuple[str, list[Value]]:
        """The SQL and its arguments in order. A missing or unknown parameter raises TypeError."""
        compiled = self._closed.get(statement)
        if compiled is None:
            compiled = self._learn(statement, tuple(params))
        try:
            return compiled.sql, compiled.arguments(params)
        except KeyError as missing:
            raise TypeError(f"parameter {missing} is missing for: {compiled.sql}") from None

    def _learn(self, statement: Executable, names: tuple[str, ...]) -> _Compiled:
        if not isinstance(statement, Insert | Update) or _has_values(statement):
            if len(self._closed) >= _MOST_KEPT:
                self._closed.clear()
            compiled = self._closed[statement] = self._compile(statement)
            return compiled
        shapes = self._open.get(statement)
        if shapes is None:
            if len(self._open) >= _MOST_KEPT:
                self._open.clear()
            shapes = self._open[statement] = _OpenColumns(statement)
        known = shapes.by_names.get(names)
        if known is None:
            known = shapes.by_names[names] = self._compile(statement, shapes.columns(names))
        return known

    def _compile(self, statement: Executable, columns: list[str] | None = None) -> _Compiled:
        if isinstance(statement, Insert):
            statement = statement.inline()  # else a RETURNING of the key is added unasked
        if not isinstance(statement, ClauseElement):
            raise TypeError(f"not a statement: {statement!r}")
        compiled = statement.compile(dialect=self._dialect, column_keys=columns)
        if not isinstance(compiled, SQLCompiler):
            raise TypeError(f"not a statement for transactions: {statement!r}")
        return _Compiled(compiled)


def _has_values(statement: Insert | Update) -> bool:
    # No public accessor tells. Written by values(dict), values([dicts]), ordered or from a select.
    parts = ("_values", "_multi_values", "_ordered_values", "select")
    given = (getattr(statement, part, None) for part in parts)
    # A select has no truth value: only None and the empty tuple stand for nothing.
    return any(part is not None and not (isinstance(part, tuple) and not part) for part in given)
