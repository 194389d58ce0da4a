"""Fails where a page links to one that is not there."""

import re
import sys
from pathlib import Path

root, bad = Path(sys.argv[1]), 0
pages = sorted(root.glob("*.html"))
for page in pages:
    for link in re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8")):
        if not (root / link).exists():
            print(f"{page}: {link} is not there")
            bad += 1
print(f"{len(pages)} pages, {bad} broken links")
sys.exit(1 if bad or not pages else 0)
