"""A small module, tests that see much of it, tests that see little of it, and a repository of 10,000 lines around such.

It does not know what is measured with it.
"""

SOURCE = '''\
"""Durations, intervals, pages, roman numbers, prices."""

UNITS = {"s": 1, "m": 60, "h": 3600}
ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
         (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def duration(text):
    """Seconds of a text such as 1h30m."""
    total = 0
    number = ""
    for sign in text:
        if sign.isdigit():
            number += sign
            continue
        if sign not in UNITS or not number:
            raise ValueError(text)
        total += int(number) * UNITS[sign]
        number = ""
    if number:
        raise ValueError(text)
    return total


def merged(intervals):
    """Intervals without those that overlap or touch."""
    found = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def page(items, number, size=10):
    """One page of many items, and whether there is another."""
    if number < 1 or size < 1:
        raise ValueError(number)
    start = (number - 1) * size
    return items[start : start + size], start + size < len(items)


def roman(number):
    """A number as Romans wrote it."""
    if number <= 0 or number >= 4000:
        raise ValueError(number)
    text = ""
    for value, sign in ROMAN:
        while number >= value:
            text += sign
            number -= value
    return text


def price(amount, each, member=False):
    """What so many cost: a tenth less from ten on, and five in a hundred less for members, never below 1."""
    total = amount * each
    if amount >= 10:
        total = total * 9 // 10
    if member and total > 20:
        total -= total * 5 // 100
    return max(total, 1)
'''

WELL = """\
import pytest

from {name} import duration, merged, page, price, roman


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 0), ("5s", 5), ("2m", 120), ("1h30m", 5400), ("1h1m1s", 3661), ("10s10s", 20)]
)
def test_duration(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["5", "s", "1x", "1h5", "hm"])
def test_no_duration(text):
    with pytest.raises(ValueError):
        duration(text)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], []),
        ([(1, 2), (3, 4)], [(1, 2), (3, 4)]),
        ([(3, 4), (1, 3)], [(1, 4)]),
        ([(1, 9), (2, 3), (8, 10)], [(1, 10)]),
        ([(1, 5), (2, 3)], [(1, 5)]),
    ],
)
def test_merged(given, wanted):
    assert merged(given) == wanted


def test_page():
    items = list(range(25))
    assert page(items, 1) == (items[:10], True)
    assert page(items, 3) == (items[20:], False)
    assert page(items, 5, 5) == (items[20:], False)
    assert page(items, 4, 6) == (items[18:24], True)
    assert page(items, 25, 1) == ([24], False)


@pytest.mark.parametrize(("number", "size"), [(0, 10), (-1, 10), (1, 0)])
def test_no_page(number, size):
    with pytest.raises(ValueError):
        page([1], number, size)


@pytest.mark.parametrize(
    ("number", "text"),
    [(1, "I"), (4, "IV"), (9, "IX"), (14, "XIV"), (40, "XL"), (90, "XC"), (444, "CDXLIV"), (1994, "MCMXCIV"),
     (3999, "MMMCMXCIX"), (58, "LVIII"), (500, "D"), (5, "V"), (100, "C")],
)
def test_roman(number, text):
    assert roman(number) == text


@pytest.mark.parametrize("number", [0, -1, 4000])
def test_no_roman(number):
    with pytest.raises(ValueError):
        roman(number)


@pytest.mark.parametrize(
    ("amount", "each", "member", "wanted"),
    [(9, 10, False, 90), (10, 10, False, 90), (11, 10, False, 99), (2, 10, True, 20), (3, 7, True, 20),
     (10, 100, True, 855), (5, 100, True, 475), (0, 5, False, 1), (1, 1, False, 1), (1, 2, False, 2)],
)
def test_price(amount, each, member, wanted):
    assert price(amount, each, member) == wanted


def test_price_of_a_stranger():
    assert price(5, 100) == 500
"""

POORLY = """\
from {name} import duration, merged, page, price, roman


def test_duration():
    assert duration("5s") == 5


def test_merged():
    assert merged([(1, 2)])


def test_page():
    assert page([1, 2, 3], 1)[0] == [1, 2, 3]


def test_roman():
    assert roman(3).startswith("I")


def test_price():
    assert price(12, 3) > 0
"""


def repository(modules: int = 119) -> dict[str, str]:
    """About 10,000 lines: a package of modules that are alike but for their numbers, and tests of each."""
    files = {"shop/__init__.py": "", "tests/__init__.py": "", "pytest.ini": "[pytest]\ntestpaths = tests\n"}
    for number in range(modules):
        files[f"shop/part_{number:03}.py"] = SOURCE.replace("3600", str(3600 + number))
        files[f"tests/test_part_{number:03}.py"] = POORLY.replace("{name}", f"shop.part_{number:03}")
    return files


def change() -> dict[str, str]:
    """Some 200 lines: two modules that were not there, one tested well, one poorly, and two lines of an old one."""
    altered = SOURCE.replace('number = ""\n    for', 'number = ""\n    text = text.strip()\n    for')
    return {
        "shop/fresh.py": SOURCE,
        "shop/poor.py": SOURCE.replace("3600", "1800"),
        "tests/test_poor.py": POORLY.replace("{name}", "shop.poor"),
        "tests/test_fresh.py": WELL.replace("{name}", "shop.fresh"),
        "shop/part_000.py": altered.replace("max(total, 1)", "max(int(total), 1)"),
    }
