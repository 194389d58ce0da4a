import sys

from ledger import total

with open(sys.argv[1], encoding="utf-8") as book:
    print(total(book))
