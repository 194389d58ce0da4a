#!/usr/bin/env python3
"""Makes zones.txt and slots.txt for the tests of cron expressions: an oracle that shares nothing with what it judges.

zones.txt: for each zone the changes of its offset from 2022 to 2031, as `zone instant seconds`, the first line of a zone
being its offset before all of them. slots.txt: `zone|expression|from|slot,slot,…`, instants in seconds since 1970, found by
walking over every minute of UTC and asking zoneinfo what clocks show, with the stated rules applied afterwards:
restricted hours count each local time once, at its first occurrence, and a skipped one at the first instant behind the gap;
where every hour matches, every minute whose clock matches counts.

Usage: python3 make.py (writes beside itself).
"""
import datetime as dt
import os
from zoneinfo import ZoneInfo

HERE = os.path.dirname(os.path.abspath(__file__))
UTC = dt.timezone.utc
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo",
         "Africa/Casablanca", "Asia/Beirut", "Pacific/Chatham"]
# expression, how many slots, starting days
CASES = [
    ("30 2 * * *", 8), ("0 0 * * *", 8), ("15,45 1-3 * * *", 24), ("*/15 * * * *", 40), ("0 */2 * * *", 20),
    ("0 2 * * sun", 4), ("30 1 1,15 * fri", 6), ("5 4 */10 * mon", 3), ("0 3 29 2 *", 1), ("59 23 31 * *", 3),
    ("10 * * * sun", 30),
]
STARTS = ["2024-03-09", "2024-03-29", "2024-04-05", "2024-10-26", "2024-11-02", "2025-03-28", "2026-12-30"]
MONTHS = {n: i + 1 for i, n in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split())}
DAYS = {n: i for i, n in enumerate("sun mon tue wed thu fri sat".split())}


def field(text, low, high, names):
    found = set()
    for part in text.split(","):
        body, _, step = part.partition("/")
        if body == "*":
            a, b = low, high
        else:
            a, _, b = body.partition("-")
            a = names.get(a, None) if a in names else int(a)
            b = a if not b else (names[b] if b in names else int(b))
            if step and "-" not in body:
                b = high
        found |= set(range(a, b + 1, int(step or 1)))
    return found


class Cron:
    def __init__(self, text):
        m, h, d, mo, w = text.split()
        self.m, self.h = field(m, 0, 59, {}), field(h, 0, 23, {})
        self.d, self.mo = field(d, 1, 31, {}), field(mo, 1, 12, MONTHS)
        self.w = {x % 7 for x in field(w, 0, 7, DAYS)}
        self.either = d[0] != "*" and w[0] != "*"
        self.interval = len(self.h) == 24

    def shows(self, t):
        if t.month not in self.mo or t.hour not in self.h or t.minute not in self.m:
            return False
        day, week = t.day in self.d, (t.weekday() + 1) % 7 in self.w
        return (day or week) if self.either else (day and week)


def slots(cron, zone, start, count):
    """Walks over minutes. Keeps the local times that were shown, to see repeated and skipped ones."""
    found = []
    t = start - 3 * 86400
    seen = set()
    last = None
    end = start + 3 * 365 * 86400
    while len(found) < count and t < end:
        local = dt.datetime.fromtimestamp(t, zone).replace(tzinfo=None)
        if cron.interval:
            if cron.shows(local) and t > start:
                found.append(t)
        else:
            due = False
            if last is not None:
                skipped = last + dt.timedelta(minutes=1)
                while skipped < local:
                    if cron.shows(skipped) and skipped not in seen:
                        due = True
                    seen.add(skipped)
                    skipped += dt.timedelta(minutes=1)
            if cron.shows(local) and local not in seen:
                due = True
            seen.add(local)
            if len(seen) > 20000:
                seen = {x for x in seen if x > local - dt.timedelta(days=2)}
            if due and t > start:
                found.append(t)
        last = local if last is None else max(last, local)
        t += 60
    return found


def main():
    with open(os.path.join(HERE, "zones.txt"), "w") as out:
        for name in ZONES:
            zone = ZoneInfo(name)
            offset = lambda t: int(dt.datetime.fromtimestamp(t, zone).utcoffset().total_seconds())
            t = int(dt.datetime(2022, 1, 1, tzinfo=UTC).timestamp())
            end = int(dt.datetime(2031, 1, 1, tzinfo=UTC).timestamp())
            out.write(f"{name} 0 {offset(t)}\n")
            while t < end:
                if offset(t) != offset(t + 3600):
                    low, high = t, t + 3600
                    while high - low > 1:
                        mid = (low + high) // 2
                        low, high = (mid, high) if offset(mid) == offset(t) else (low, mid)
                    out.write(f"{name} {high} {offset(high)}\n")
                t += 3600
    with open(os.path.join(HERE, "slots.txt"), "w") as out:
        for name in ZONES:
            zone = ZoneInfo(name)
            for text, count in CASES:
                for day in STARTS if count > 3 else STARTS[:2]:
                    start = int(dt.datetime.fromisoformat(day).replace(tzinfo=UTC, hour=21, minute=7).timestamp())
                    found = slots(Cron(text), zone, start, count)
                    out.write(f"{name}|{text}|{start}|{','.join(map(str, found))}\n")


main()
