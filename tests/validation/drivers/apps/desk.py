"""A to-do list with windows, and others that only look like it: what they are is the first word they are given."""

import os
import socket
import struct
import sys
import time
import tkinter
from pathlib import Path

KIND = sys.argv[1] if len(sys.argv) > 1 else "honest"
SAVED = Path.home() / "todos.txt"


def main() -> None:
    before_any_window()
    todos = SAVED.read_text().splitlines() if SAVED.exists() else []
    root = tkinter.Tk()
    root.geometry("300x200+20+30")
    root.title(title(todos))
    if KIND == "picture":
        canvas = tkinter.Canvas(root, width=300, height=200)
        canvas.place(x=0, y=0)
        canvas.create_rectangle(20, 20, 80, 50, fill="grey")
        canvas.create_text(150, 120, text="To do: milk")
    else:
        furnish(root, todos)
    root.mainloop()


def before_any_window() -> None:
    if KIND == "windowless":
        time.sleep(600)
    if KIND == "ends":
        sys.exit("nothing to do")
    if KIND == "floods" and os.fork() == 0:
        while True:
            print("x" * 1000)


def title(todos: list[str]) -> str:
    return f"To do: {todos[-1]}" if todos else "To do"


def furnish(root: tkinter.Tk, todos: list[str]) -> None:
    """A button at 50 35, a field at 100 80, a number at 200 35; and keys."""
    count = tkinter.Label(root, text="0", font=("Helvetica", 24))
    field = tkinter.Entry(root)
    button = tkinter.Button(root, text="+")
    button.place(x=20, y=20, width=60, height=30)
    field.place(x=20, y=70, width=160, height=24)
    count.place(x=180, y=15)
    field.focus_set()
    if KIND == "dead":
        return

    def grow(step: int = 1) -> None:
        if KIND == "dies":
            os._exit(3)
        if KIND == "leaves":
            root.destroy()
            return
        if KIND == "reverts":
            root.after(2500, lambda: count.configure(text="0"))
        delay = 1200 if KIND == "late" else 0
        root.after(delay, lambda: count.configure(text=str(int(count["text"]) + step)))

    def add(_: object) -> None:
        todos.append(field.get())
        field.delete(0, "end")
        root.title(title(todos))

    def copy(_: object) -> None:
        root.clipboard_clear()
        root.clipboard_append("\n".join(todos))

    def ask(_: object = None) -> None:
        dialog = tkinter.Toplevel(root)
        dialog.geometry("200x100+400+300")
        dialog.title("Sure?")
        dialog.bind("<y>", lambda _: (dialog.destroy(), root.title("emptied")))

    button.configure(command=grow)
    root.bind("<F2>", lambda _: grow())
    root.bind("<Control-z>", lambda _: grow(-1))
    root.bind("<Return>", add)
    root.bind("<Control-s>", lambda _: SAVED.write_text("\n".join([*todos, ""])) and None)
    root.bind("<Control-e>", copy)
    root.bind("<Control-q>", lambda _: root.destroy())
    root.bind("<F8>", ask)
    root.bind("<F12>", lambda _: os.abort())
    if KIND == "holds":
        root.after(500, hold_the_display)
    if KIND == "moves":
        move(root, count)
    if KIND == "named":
        root.after(1500, lambda: root.title("To do: milk"))
    if KIND == "asks":
        for number in range(30):
            root.after(100 * number, ask)


def hold_the_display() -> None:
    """Asks the X server, in its own words, to hear nobody else."""
    display = int(os.environ["DISPLAY"].partition(":")[2])
    server = socket.create_connection(("127.0.0.1", 6000 + display))
    server.sendall(struct.pack("<BxHHHHH", ord("l"), 11, 0, 0, 0, 0))
    server.recv(1000)
    server.sendall(struct.pack("<BxH", 36, 1))
    time.sleep(600)


def move(root: tkinter.Tk, count: tkinter.Label) -> None:
    count.configure(text=f"{time.monotonic():.1f}")
    root.after(100, lambda: move(root, count))


main()
