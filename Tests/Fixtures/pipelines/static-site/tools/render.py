"""Makes a page of HTML of each page of Markdown: titles, paragraphs and links."""

import html
import re
import sys
from pathlib import Path

source, target = Path(sys.argv[1]), Path(sys.argv[2])
target.mkdir(exist_ok=True)
for page in sorted(source.glob("*.md")):
    blocks = []
    for block in page.read_text(encoding="utf-8").strip().split("\n\n"):
        text = html.escape(block.lstrip("# "), quote=False)
        text = re.sub(r"\[([^]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', text)
        tag = "h1" if block.startswith("# ") else "p"
        blocks.append(f"<{tag}>{text}</{tag}>")
    out = target / f"{page.stem}.html"
    out.write_text("<!doctype html>\n" + "\n".join(blocks) + "\n", encoding="utf-8")
    print(out)
