"""A full-screen program: move with the arrow keys, leave with q or ctrl-c."""

import curses
import sys

FRUIT = ("apple", "banana", "cherry")


def main(screen: "curses.window") -> str:
    chosen = 0
    while True:
        rows, columns = screen.getmaxyx()
        screen.erase()
        screen.border()
        screen.addstr(1, 2, f"Fruit {rows}x{columns}")
        for number, fruit in enumerate(FRUIT):
            screen.addstr(3 + number, 4, f"{'>' if number == chosen else ' '} {fruit}")
        key = screen.getch()
        if key == curses.KEY_DOWN:
            chosen = min(chosen + 1, len(FRUIT) - 1)
        elif key == curses.KEY_UP:
            chosen = max(chosen - 1, 0)
        elif key == ord("q"):
            return FRUIT[chosen]


print("before")
print("chosen:", curses.wrapper(main))
sys.exit(7)
