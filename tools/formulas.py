"""The formulas of the presets as MathML, which browsers draw without a script and without a network.

Reads a name and a formula in LaTeX from each line of presets.tex and writes a file for each beside it. Run, with latex2mathml
installed:

    python tools/formulas.py crates/cm-loss-core/formulas
"""

import pathlib
import sys

from latex2mathml.converter import convert


def main(folder):
    for line in (folder / "presets.tex").read_text(encoding="utf-8").splitlines():
        name, latex = line.split(": ", 1)
        math = convert(latex, display="block")
        (folder / f"{name}.html").write_text(f"\n<p>{math}</p>\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
