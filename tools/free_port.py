"""Says in one sentence where a port of this machine cannot be listened on, and ends with 2 then."""

from __future__ import annotations

import socket
import sys


def problem(text: str) -> str:
    """Why nobody can listen on the port of that number; empty if somebody can."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        return f"{text!r} is not a port: a number from 1 to 65535."
    with socket.socket() as listener:
        # As servers do: what ended a moment ago does not count.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", int(text)))
        except OSError as error:
            return (
                f"Port {text} cannot be used ({error.strerror}), as when another program serves there: choose "
                f"another one, such as make ui PORT={int(text) % 65_000 + 1}"
            )
    return ""


if __name__ == "__main__":
    if said := problem(" ".join(sys.argv[1:])):
        print(said, file=sys.stderr)
        sys.exit(2)
