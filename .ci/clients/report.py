"""Prints the matrix of clients, and writes it as Markdown too.

It reads what `run` leaves in the folder of each client, and counts there what
generators and compilers warned of, and the lines that somebody changed since the
generator wrote them. It exits with 1 if a warning is not explained, or a line was
changed.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

PHASES = ("generate", "compile", "scenario")
COLUMNS = ("language", "generator", "generates", "compiles", "scenario passes", "warnings", "lines patched")

Row = tuple[str, ...]

ANSI = re.compile(r"\x1b\[[0-9;]*m")
# What openapi-generator logs: [main] WARN  o.o.codegen.utils.ModelUtils - text
LOGGED = re.compile(r"^\[\w+\] (?P<level>[A-Z]+)\s+\S+ - (?P<text>.*)")
# What anything else says of the like.
SAID = re.compile(r"\b(warn(ings?)?|deprecated|deprecation)\b", re.IGNORECASE)


class Client:
    def __init__(self, folder: pathlib.Path) -> None:
        self.name = folder.name
        self.folder = folder
        self.phase = (folder / "phase").read_text().strip()
        self.language, self.generator, self.options, self.remark = self.lines("about", 4)
        (self.toolchain,) = self.lines("toolchain", 1)

    def lines(self, file: str, count: int) -> list[str]:
        path = self.folder / file
        lines = path.read_text().splitlines() if path.exists() else []
        return (lines + [""] * count)[:count]

    def reached(self, phase: str) -> str:
        """Whether a phase went well: yes, no, or - if it was not reached."""
        if self.phase == "passed":
            return "yes"
        at = PHASES.index(self.phase) if self.phase in PHASES else -1
        return "yes" if PHASES.index(phase) < at else "no" if self.phase == phase else "-"

    def warnings(self) -> list[str]:
        found = []
        for phase in PHASES:
            path = self.folder / f"{phase}.log"
            for line in path.read_text(errors="replace").splitlines() if path.exists() else ():
                line = ANSI.sub("", line).strip()
                if logged := LOGGED.match(line):
                    if logged["level"] not in ("INFO", "DEBUG"):
                        found.append(logged["text"])
                elif SAID.search(line):
                    found.append(line.replace(f"{self.folder}/", ""))
        return found

    def patched(self) -> int | None:
        """How many lines differ from what the generator wrote; None if it wrote nothing."""
        if not (self.folder / "pristine").exists():
            return None
        compared = subprocess.run(
            ("diff", "-r", "-U0", "pristine", "client"),
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            errors="replace",
        )
        if compared.returncode > 1:
            raise RuntimeError(compared.stderr)
        # What building adds to the folder is no change; what it takes away is.
        return sum(
            line.startswith("Only in pristine") or (line[:1] in "+-" and not line.startswith(("+++ ", "--- ")))
            for line in compared.stdout.splitlines()
        )


class Explained:
    """Warnings of one kind: how many there are, one of them, and why they stand."""

    def __init__(self, why: str) -> None:
        self.why = why
        self.count = 0
        self.example = ""
        self.clients: collections.Counter[str] = collections.Counter()

    def add(self, client: str, text: str) -> None:
        self.count += 1
        self.example = self.example or text
        self.clients[client] += 1


def explain(clients: list[Client], file: pathlib.Path) -> tuple[list[Explained], list[Explained]]:
    """Sorts all warnings into those that the file explains, and the others."""
    known = []
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, why = line.split("\t")
            known.append((re.compile(pattern), Explained(why)))
    other: dict[str, Explained] = {}
    for client in clients:
        for text in client.warnings():
            kind = next((e for pattern, e in known if pattern.search(text)), None)
            alike = re.sub(r"\d+|\w+=", "", text)
            (kind or other.setdefault(alike, Explained("not explained"))).add(client.name, text)
    return [e for _, e in known if e.count], list(other.values())


def counted(client: str, kinds: list[Explained]) -> str:
    of_it = [kind.clients[client] for kind in kinds if kind.clients[client]]
    return f"{sum(of_it)} of {len(of_it)} kinds" if len(of_it) > 1 else str(sum(of_it))


def table(rows: list[Row]) -> str:
    """A table for a terminal."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join((lines[0], "  ".join("-" * width for width in widths), *lines[1:]))


def markdown(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in rows]
    return "\n".join((lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--warnings", type=pathlib.Path, required=True)
    parser.add_argument("--markdown", type=pathlib.Path, required=True)
    parser.add_argument("--contract", required=True)
    parser.add_argument("clients", nargs="+")
    options = parser.parse_args()

    clients = sorted((Client(options.work / name) for name in options.clients), key=lambda c: c.name)
    explained, unexplained = explain(clients, options.warnings)
    patched = {client.name: client.patched() for client in clients}

    matrix: list[Row] = [COLUMNS]
    for client in clients:
        lines = patched[client.name]
        matrix.append((
            client.language or client.name,
            client.generator,
            *(client.reached(phase) for phase in PHASES),
            counted(client.name, unexplained + explained),
            "-" if lines is None else str(lines),
        ))  # fmt: skip
    used: list[Row] = [("client", "with", "options that differ from the defaults")]
    used += [(client.name, client.toolchain, client.options or "none") for client in clients]
    remarks = [(client.name, client.remark) for client in clients if client.remark]
    warned: list[Row] = [("warnings", "clients", "for example", "why they stand")]
    for kind in unexplained + explained:
        where = ", ".join(f"{name} {count}" for name, count in sorted(kind.clients.items()))
        warned.append((str(kind.count), where, kind.example, kind.why))

    heading = f"Clients generated from openapi.yaml {options.contract}"
    print(f"\n{heading}\n\n{table(matrix)}\n\n{table(used)}\n")
    for name, remark in remarks:
        print(f"{name}: {remark}")
    print()
    for count, where, example, why in warned[1:]:
        print(f"{count} warnings ({where}), for example:\n   {example}\n   {why}")
    total = sum(lines or 0 for lines in patched.values())
    print(f"lines patched by hand: {total}")

    options.markdown.write_text(
        f"# {heading}\n\n{markdown(matrix)}\n\n{markdown(used)}\n\n"
        + "".join(f"- {name}: {remark}\n" for name, remark in remarks)
        + f"\n## Warnings\n\n{markdown(warned)}\n\nLines patched by hand: {total}.\n"
    )
    if unexplained:
        print(f"clients: {len(unexplained)} kinds of warnings are not explained in {options.warnings}", file=sys.stderr)
    if total:
        print("clients: what was generated has changed since", file=sys.stderr)
    return 1 if unexplained or total else 0


if __name__ == "__main__":
    sys.exit(main())
