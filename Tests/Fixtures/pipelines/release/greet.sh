#!/bin/sh
echo "good day, ${1:-you}"
