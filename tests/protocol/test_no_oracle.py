"""Section 3's promise: nothing that a phone keeps tells a right PIN from a wrong one."""

from __future__ import annotations

import ast
import hashlib
import inspect
import math

from tests.protocol.seeds import seed
from vestibule.protocol import keys

FAST = keys.Stretch(name="pbkdf2-sha256", rounds=1)
KD, SALT, IV, ROOT = seed("Kd"), seed("salt", 16), seed("iv", 16), seed("root")


def _opened(pin: str, sealed: bytes) -> bytes:
    return keys.open_root(keys.pin_kek(KD, keys.stretch(pin, SALT, FAST)), IV, sealed)


def test_every_four_digit_pin_opens_to_a_root_of_its_own() -> None:
    """All 10,000 PINs give 32 bytes, all different, and only the right one gives the root."""
    sealed = _opened("2580", ROOT)
    roots = [_opened(f"{number:04d}", sealed) for number in range(10_000)]
    assert all(len(root) == 32 for root in roots)
    assert len(set(roots)) == 10_000
    assert [number for number, root in enumerate(roots) if root == ROOT] == [2580]


def test_opened_roots_look_alike() -> None:
    """The bits of all opened roots, right and wrong, are as even as chance."""
    sealed = _opened("2580", ROOT)
    bits = 0
    for number in range(10_000):
        bits += int.from_bytes(_opened(f"{number:04d}", sealed)).bit_count()
    total = 10_000 * 256
    assert abs(bits - total / 2) < 5 * math.sqrt(total) / 2


def test_sealed_root_is_as_long_as_the_root() -> None:
    """No tag, no padding, no check value: there is no byte more than the root has."""
    assert len(_opened("2580", ROOT)) == len(ROOT)


def test_device_key_and_ids_do_not_depend_on_the_root() -> None:
    """No public value is derived from R: nothing in `keys` takes a root but its two children."""
    takers = [
        name
        for name, function in inspect.getmembers(keys, inspect.isfunction)
        if "root" in inspect.signature(function).parameters
    ]
    assert takers == ["knowledge_key", "response_key"]


def test_using_a_pin_never_checks_it() -> None:
    """The rules for choosing a PIN are not applied when it is used: `1111` opens as well."""
    tree = ast.parse(inspect.getsource(keys.stretch))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "check_pin" not in called
    assert len(_opened("1111", hashlib.sha256(b"").digest())) == 32
