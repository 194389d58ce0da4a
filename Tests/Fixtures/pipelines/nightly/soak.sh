#!/bin/sh
# Shuffles and sorts, over and over, with a seed. The first try of seed 2 has bad luck and asks for another.
set -eu
if [ "$1" = 2 ] && [ ! -e tried ]; then
    touch tried
    echo "no luck, once more"
    exit 75
fi
round=0
while [ "$round" -lt 5 ]; do
    seq 500 | awk -v seed="$1$round" 'BEGIN { srand(seed) } { print rand(), $1 }' | sort -n | cut -d" " -f2 | sort -n > sorted
    seq 500 | cmp - sorted
    round=$((round + 1))
done
echo "seed $1: $round rounds"
