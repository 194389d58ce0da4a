#!/bin/sh
# Puts a release into a directory that stands for a server. Two at once would each take the other's lock: that is an error.
set -eu
mkdir "$1/lock" || { echo "another deploy is going on" | tee -a "$1/errors"; exit 1; }
echo "begin $2" >> "$1/log"
sleep 0.5
echo "$2" > "$1/release.new"
mv "$1/release.new" "$1/release"
echo "end $2" >> "$1/log"
rmdir "$1/lock"
