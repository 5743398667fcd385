"""A conversation: says back what is typed, and misbehaves on request."""

import os
import random
import sys
import time

while True:
    line = input("you> ")
    match line:
        case "crash":
            os.abort()
        case "hang":
            time.sleep(1000)
        case "garbage":
            sys.stdout.buffer.write(random.Random(7).randbytes(20_000) + b"\x1bc\nsurvived\n")
        case "flood":
            while True:
                print("flood " * 10)
        case "where":
            sys.stdout.write("\x1b[6n")
            sys.stdout.flush()
        case _:
            print("you said", line)
